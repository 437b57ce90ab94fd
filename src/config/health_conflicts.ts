/**
 * Options of a health check that contradict each other.
 *
 * Owns: these faults and their words.
 */

import type { Fault, Path } from "./fault.ts";
import type { ParsedHealthCheck } from "./health_options.ts";
import { enumerate, quote } from "./quote.ts";
import { formatDuration } from "./units.ts";

/** Options that only one type has a use for. */
const ONLY_FOR = {
  tls: ["serverName", "verify", "expiryWarning"],
  http: ["method", "path", "host", "expect"],
} as const;

/** Appends what is wrong with the `healthCheck` that stands at `at`. */
export function checkHealthCheck(check: ParsedHealthCheck, at: Path, faults: Fault[]): void {
  const { interval, timeout, type } = check;
  const report = (key: string, message: string): void => {
    faults.push({ code: "conflict", at: [...at, key], on: "key", message });
  };
  if (timeout !== undefined && timeout > interval) {
    const reason = `checks come every ${formatDuration(interval)} (interval); shorten it, or lengthen the interval`;
    report("timeout", `Cannot use a timeout of ${formatDuration(timeout)} for a health check: ${reason}`);
  }
  for (const [owner, keys] of Object.entries(ONLY_FOR)) {
    if (owner === type) continue;
    for (const key of keys) {
      if (check[key] === undefined) continue;
      const reason = `only checks of type ${owner} look at ${enumerate(keys)}`;
      report(key, `Cannot use ${quote(key)} with a health check of type ${type}: ${reason}`);
    }
  }
}
