/**
 * Numbers, times and foreign texts as the page shows them.
 *
 * Owns: the wording of sizes, rates, durations and times, and the escaping of what came off the wire. Pure.
 */

import { escapeInvisible } from "../src/config/quote.ts";

const MAX_SHOWN = 300;
const COUNT = new Intl.NumberFormat("en");

/** Foreign text, safe to look at: invisible and turning characters as `\xNN` or `\u{N}`, cut after 300. */
export function foreign(text: string): string {
  return escapeInvisible(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

/** Begins with a capital, but for our own name. */
export function sentence(text: string): string {
  return text.startsWith("certless") ? text : `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** `12,345`. */
export function count(value: number): string {
  return COUNT.format(Math.round(value));
}

/** `1 server`, `2 servers`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

function scaled(value: number, units: readonly string[]): string {
  let step = 0;
  let rest = Math.abs(value);
  // What would be rounded to 1000 is 1 of the next unit.
  while (rest >= 999.5 && step < units.length - 1) {
    rest /= 1000;
    step++;
  }
  const digits = step === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  return `${Number(rest.toFixed(digits))}${units[step]}`;
}

/** Bytes in decimal units: `1.5 MB`. */
export function size(bytes: number): string {
  return scaled(bytes, [" B", " kB", " MB", " GB", " TB", " PB"]);
}

/** Bytes per second: `1.5 MB/s`. */
export function byteRate(bytes: number): string {
  return `${size(bytes)}/s`;
}

/** A number on an axis or in a tile: `950`, `12k`, `1.2M`. */
export function short(value: number): string {
  if (value > 0 && value < 9.95 && !Number.isInteger(value)) return String(Number(value.toFixed(value < 1 ? 2 : 1)));
  return scaled(value, ["", "k", "M", "G", "T"]);
}

const SPANS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
] as const;

/** Milliseconds in at most two units: `3 d 4 h`, `12 s`, `40 ms`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  if (milliseconds < 10_000) return `${Number((milliseconds / 1_000).toFixed(1))} s`;
  const first = SPANS.findIndex(([span]) => milliseconds >= span);
  const [span, unit] = SPANS[first]!;
  const whole = Math.floor(milliseconds / span);
  const next = SPANS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((milliseconds - whole * span) / next[0]);
  return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${next![1]}`;
}

const pad = (value: number): string => String(value).padStart(2, "0");

/** The hour of the day here: `14:03`. */
export function hour(at: number): string {
  const date = new Date(at);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** `14:03:22`. */
export function clock(at: number): string {
  return `${hour(at)}:${pad(new Date(at).getSeconds())}`;
}

/** `14:03:22`, with the date where it is not that of `now`: `2026-03-01 14:03:22`. */
export function moment(at: number, now: number): string {
  const date = new Date(at);
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return new Date(now).toDateString() === date.toDateString() ? clock(at) : `${day} ${clock(at)}`;
}
