/**
 * An upstream's server in a word: whether it gets connections, and if not, why.
 *
 * Pure. Active checks know of some servers only; who operates the proxy may have taken one out.
 */

import type { ServerStatus } from "../src/health/status.ts";
import type { Tone } from "./element.ts";

/** Whether connections are given to it; where that is not told, its checks decide. */
export type Served = ServerStatus & { readonly service?: string };

export interface ServerState {
  readonly tone: Tone;
  readonly word: string;
  /** It gets connections. */
  readonly isIn: boolean;
  /** What an operator can do; undefined: nothing, the configuration has it so. */
  readonly action: "down" | "up" | undefined;
}

const STATES: Readonly<Record<string, ServerState>> = {
  up: { tone: "good", word: "up", isIn: true, action: "down" },
  unknown: { tone: "quiet", word: "not checked", isIn: true, action: "down" },
  down: { tone: "bad", word: "down", isIn: false, action: "down" },
  failing: { tone: "bad", word: "failing", isIn: false, action: "down" },
  disabled: { tone: "warn", word: "taken out", isIn: false, action: "up" },
  off: { tone: "quiet", word: "off", isIn: false, action: undefined },
};

export function stateOf({ health, service }: Served): ServerState {
  const isTold = service !== undefined && service !== "in";
  return STATES[isTold ? service : health] ?? STATES.unknown!;
}

/** Those that are meant to serve. */
export function isMeant({ service }: Served): boolean {
  return service !== "off";
}
