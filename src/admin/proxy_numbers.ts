/**
 * The numbers of a proxy, and what is known of them where nobody counts.
 */

import { formatEndpoint } from "../address.ts";
import { REASONS, type Reason } from "../reason.ts";
import type { EndingAnswer } from "./api.ts";
import type { Numbers, Totals } from "./numbers.ts";
import type { OperatedProxy } from "./operated_proxy.ts";
import { notHere } from "./refusal.ts";

/** @throws {Refused} where nobody counts. */
export function needNumbers({ numbers }: OperatedProxy, purpose: string): Numbers {
  if (numbers === undefined) throw notHere(purpose);
  return numbers;
}

export function totalsOf(proxy: OperatedProxy): Totals {
  if (proxy.numbers !== undefined) return proxy.numbers.totals();
  const { openConnections: open, connectionLimit: limit, counts, config, endpoints, threads } = proxy;
  const ended = Object.values(counts.ended).reduce((sum, count) => sum + count, 0);
  const listeners = config.listeners.map(({ protocol }, index) => {
    const endpoint = endpoints[index];
    return { address: endpoint === undefined ? "" : formatEndpoint(endpoint), protocol, open: 0, accepted: 0 };
  });
  return {
    connections: { open, limit, accepted: ended + open },
    bytes: { received: 0, sent: 0 },
    memory: { resident: 0 },
    descriptors: { open: undefined, limit: proxy.descriptorLimit },
    listeners,
    workers: threads.map(({ worker, open: its }) => ({ worker, open: its, lag: 0 })),
  };
}

export function endingsOf({ numbers, counts }: OperatedProxy): readonly EndingAnswer[] {
  if (numbers !== undefined) return numbers.endings();
  const found = Object.entries(counts.ended) as [Reason, number][];
  return found
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => ({
      reason,
      count,
      lastHour: count,
      meaning: REASONS[reason],
      remedy: undefined,
      isRejection: false,
    }));
}
