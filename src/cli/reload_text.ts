/** How a reload went, in lines for people. */

import type { ReloadOutcome } from "../admin/api.ts";
import { formatConfigError } from "../config/load.ts";
import { plural } from "./summary.ts";

/** One line for each fault, change and warning; the first says how it went. */
export function reloadLines({ ok, duration, changes, errors, reason, warnings }: ReloadOutcome): string[] {
  if (!ok) {
    const why = reason === "" ? plural(errors.length, "fault") : reason;
    return [`the configuration in force stays: ${why}`, ...errors.map(formatConfigError), ...warnings];
  }
  const title = `reloaded in ${Math.round(duration)} ms${changes.length === 0 ? ", nothing has changed" : ""}`;
  return [title, ...changes, ...warnings];
}
