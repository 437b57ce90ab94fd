/**
 * How many connections may be open at once, and the memory that clients are counted in.
 *
 * Owns: what the descriptor limit allows, and the words where it does not fit what was asked for.
 */

import type { Config } from "../config/config.ts";
import type { Host } from "../host.ts";
import { limitsNeeded } from "../limits/admission.ts";
import { createLimitsMemory, type LimitsMemory } from "../limits/limits_memory.ts";

/** Descriptors kept for everything but connections: runtime, log, listeners, resolver. */
const RESERVED_DESCRIPTORS = 128;
const DEFAULT_CONNECTIONS = 10_000;

/** Fewer connections than this by the descriptor limit are worth a word. */
const FEW_CONNECTIONS = 500;

/** A connection takes two descriptors, the client's and the server's. */
export function connectionLimit(config: Config, host: Pick<Host, "descriptorLimit">, warn: Warn): number {
  const descriptors = host.descriptorLimit();
  const asked = config.limits.connections;
  if (asked !== "auto") {
    const needed = 2 * asked + RESERVED_DESCRIPTORS;
    if (descriptors !== undefined && needed > descriptors) {
      const remedy = "raise it, or leave limits.connections at auto";
      warn(`limits.connections: ${asked} needs ${needed} descriptors, and the limit is ${descriptors}; ${remedy}`);
    }
    return asked;
  }
  if (descriptors === undefined) return DEFAULT_CONNECTIONS;
  const limit = Math.max(1, Math.floor((descriptors - RESERVED_DESCRIPTORS) / 2));
  if (limit < FEW_CONNECTIONS) {
    const remedy = "raise it with ulimit -n, or LimitNOFILE= in the systemd unit";
    warn(`the limit of ${descriptors} descriptors allows ${limit} connections at once; ${remedy}`);
  }
  return limit;
}

/** What clients are counted in, where anything is: `former` for as long as it will do, so that its counts go on. */
export function limitsMemory(
  config: Config,
  host: Pick<Host, "random">,
  connectionLimit: number,
  workers: number,
  former?: LimitsMemory,
): LimitsMemory | undefined {
  const { any, clients } = limitsNeeded(config.limits);
  if (!any) return former;
  if (former !== undefined && (!clients || former.buckets > 0)) return former;
  return createLimitsMemory({ workers, connectionLimit, perClient: clients, random: () => host.random() });
}

type Warn = (message: string) => void;
