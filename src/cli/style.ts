/**
 * Colour for people, and none where it is not wanted: https://no-color.org, a pipe, or TERM=dumb.
 */

import type { Host, Terminal } from "../host.ts";

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

const plain = (text: string): string => text;
const ansi =
  (code: number) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[0m`;

export const PLAIN: Style = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain };
export const COLOUR: Style = { bold: ansi(1), dim: ansi(2), red: ansi(31), green: ansi(32), yellow: ansi(33) };

/** The style for what is written to `terminal`. */
export function styleFor(host: Host, terminal: Terminal): Style {
  const refused = (host.env.NO_COLOR ?? "") !== "" || host.env.TERM === "dumb";
  return terminal.isTerminal && !refused ? COLOUR : PLAIN;
}
