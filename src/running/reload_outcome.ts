/**
 * How a reload went.
 *
 * Owns: what was read for one, why it was refused, and what is told of it in the end.
 */

import type { Clock } from "../adapter.ts";
import type { ReloadOutcome } from "../admin/api.ts";
import type { Config } from "../config/config.ts";
import type { ConfigError } from "../config/load.ts";
import type { Changes } from "./changes.ts";

/** A configuration that was read anew, or why it cannot be put in force. */
export type Reread =
  | { readonly config: Config }
  | { readonly errors: readonly ConfigError[] }
  | { readonly reason: string };

/** How a reload went wrong. */
export interface Refusal {
  readonly errors: readonly ConfigError[];
  readonly reason: string;
}

/** Refused for something that is not a fault of the file. */
export function refusal(reason: string): Refusal {
  return { errors: [], reason };
}

/** @param warnings told meanwhile. @param began of the clock, ms. */
export function outcomeOf(
  outcome: Changes | Refusal,
  warnings: readonly string[],
  began: number,
  clock: Pick<Clock, "now" | "wallTime">,
): ReloadOutcome {
  const isRefused = "reason" in outcome;
  return {
    ok: !isRefused,
    at: clock.wallTime(),
    duration: clock.now() - began,
    changes: isRefused ? [] : outcome.changes,
    errors: isRefused ? outcome.errors : [],
    reason: isRefused ? outcome.reason : "",
    warnings: isRefused ? warnings : [...warnings, ...outcome.warnings],
  };
}
