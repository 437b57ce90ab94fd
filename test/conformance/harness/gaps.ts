/**
 * What an adapter cannot do, and why: the one table.
 *
 * A gap's tests are skipped with its reason. Whoever closes a gap deletes its row.
 */

import type { Combination, CombinationName } from "./combinations.ts";

/** Behaviours that some runtime has no means for. */
export type Behaviour =
  /** A reset on one side arrives as a reset on the other, not as an orderly end. */
  | "sends_reset"
  /** At `limits.connections` clients wait in the kernel's backlog instead of being closed. */
  | "pauses_accepts"
  /** A client that broke before it was accepted is known by its address, and so gets its log line. */
  | "sees_early_reset"
  /** A connect that was given up gives its descriptor back at once. */
  | "cancels_connect"
  /** When descriptors run out, clients wait, and the operator is told once. */
  | "tells_shortage"
  /** Accepts from sockets that another process opened. */
  | "adopts_sockets"
  /** `tcp.bind`. */
  | "binds"
  /** `tcp.fastOpen` and `tcp.userTimeout`. */
  | "tunes_tcp";

interface Gap {
  readonly combination: CombinationName;
  readonly behaviour: Behaviour;
  readonly reason: string;
}

const ASKS_TOO_LATE = "the runtime asks who the peer is after accept, when the system cannot say it any more";

export const GAPS: readonly Gap[] = [
  { combination: "node", behaviour: "sees_early_reset", reason: ASKS_TOO_LATE },
  { combination: "deno", behaviour: "sees_early_reset", reason: ASKS_TOO_LATE },
  { combination: "bun", behaviour: "sees_early_reset", reason: ASKS_TOO_LATE },
  {
    combination: "deno",
    behaviour: "sends_reset",
    reason: "Deno has no SO_LINGER and no reset: it can only close",
  },
  {
    combination: "node",
    behaviour: "pauses_accepts",
    reason: "node:net accepts for as long as it listens",
  },
  {
    combination: "bun",
    behaviour: "pauses_accepts",
    reason: "Bun.listen accepts for as long as it listens",
  },
  {
    combination: "bun",
    behaviour: "cancels_connect",
    reason: "Bun.connect cannot be given up: the descriptor stays until the system's own connect timeout",
  },
  {
    combination: "node",
    behaviour: "tells_shortage",
    reason: "libuv accepts and closes clients then, and says nothing",
  },
  {
    combination: "bun",
    behaviour: "tells_shortage",
    reason: "Bun.listen does not say that accepting failed",
  },
  { combination: "deno", behaviour: "adopts_sockets", reason: "Deno.listen takes no descriptor" },
  { combination: "bun", behaviour: "adopts_sockets", reason: "Bun.listen takes no descriptor" },
  { combination: "deno", behaviour: "binds", reason: "Deno.connect takes no local address" },
  { combination: "bun", behaviour: "binds", reason: "Bun.connect takes no local address" },
  ...(["node", "deno", "bun"] as const).map((combination) => ({
    combination,
    behaviour: "tunes_tcp" as const,
    reason: "the runtime sets no such socket options",
  })),
];

export function gapOf(combination: Combination, behaviour: Behaviour): string | undefined {
  return GAPS.find((gap) => gap.combination === combination.name && gap.behaviour === behaviour)?.reason;
}

/** Test options: skipped, with the reason, where the combination has that gap. */
export function needs(combination: Combination, behaviour: Behaviour): { skip: string | false } {
  return { skip: gapOf(combination, behaviour) ?? false };
}
