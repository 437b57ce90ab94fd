/**
 * The options of `limits:`, and `rate`.
 *
 * Owns: their names, types, defaults, bounds and descriptions. It must not look at two options at once (`check.ts` does).
 */

import * as z from "zod";
import { bool, integer, map, size } from "./option_kinds.ts";

const count = (max: number, description: string) =>
  integer(1, max, `a whole number from 1 to ${max}`).optional().meta({ description });

export function buildLimits() {
  return map({
    connections: z
      .union([integer(1, 1e7, "a whole number from 1, or auto"), z.literal("auto")], {
        error: "it must be a whole number from 1, or auto",
      })
      .default("auto")
      .meta({ description: "Open connections at once; `auto` is what the descriptor limit allows." }),
    perClient: count(1e6, "Open connections at once of one client address (IPv6: of one /64)."),
    newPerSecond: count(1e6, "New connections per second of one client address (IPv6: of one /64)."),
    burst: count(1e6, "How many of them may come at once, after a rest; as many as `newPerSecond` if absent."),
    handshakes: count(1e6, "Connections at once that are not yet connected to a server."),
    dryRun: bool().default(false).meta({
      description: "`perClient`, `newPerSecond` and `handshakes` refuse nobody: the log says whom they would.",
    }),
    prereadBytes: size(1024, 65536).prefault("64KiB").meta({ description: "Largest first message of a connection." }),
    prereadTotal: size(65536, 1024 ** 4)
      .prefault("64MiB")
      .meta({ description: "The same for all connections." }),
  });
}

/** Slower than this, one packet would take seconds. */
const SLOWEST = 1000;
const FASTEST = 1024 ** 4;

/** `rate` of a route, or of a listener for its routes. */
export function buildRate() {
  const bytes = () => size(SLOWEST, FASTEST).optional();
  return map({
    down: bytes().meta({ description: "Bytes per second to the client, of each connection." }),
    up: bytes().meta({ description: "Bytes per second to the server, of each connection." }),
  })
    .refine(({ down, up }) => (down ?? up) !== undefined, { error: "it must say down, up or both" })
    .optional();
}
