/**
 * `onChange:` as a person writes it: `keep`, `drain 30s`, `cut`.
 *
 * Owns: that grammar, and `ChangeConfig`: what becomes of a route's connections when a new configuration takes the route
 * or their server away.
 */

import type { Refusal } from "./destination.ts";
import { suggestion } from "./quote.ts";
import { formatDuration, MAX_DURATION, parseDuration } from "./units.ts";

/** Milliseconds that they have; 0: they are cut. `keep`: as long as they like. */
export type ChangeConfig = number | "keep";

const EXPECTED = "it must be keep, drain with a duration (drain 30s) or cut";

/** Parses a policy. */
export function parseChange(value: string): ChangeConfig | Refusal {
  const [word = "", time, ...more] = value.trim().split(/\s+/);
  if (time === undefined && (word === "keep" || word === "cut")) return word === "cut" ? 0 : "keep";
  if (word !== "drain") return { error: `${EXPECTED}${suggestion(word, ["keep", "drain", "cut"])}` };
  const duration = time === undefined || more.length > 0 ? undefined : parseDuration(time);
  if (duration === undefined) return { error: EXPECTED };
  if (duration >= 1 && duration <= MAX_DURATION) return duration;
  return { error: `drain must be from ${formatDuration(1)} to 24d; cut ends them at once` };
}
