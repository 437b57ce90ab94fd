/**
 * What one thread has counted since it last told. Types only; it survives structured cloning.
 */

import type { HistogramCounts } from "./histogram.ts";
import type { Traffic } from "./traffic.ts";

export interface ListenerDelta {
  accepted: number;
  /** Not since then: now. */
  open: number;
  /** By the reason's place in `REASON_CODES`. */
  readonly ended: number[];
  received: number;
  sent: number;
  /** By pattern. */
  routes: Map<string, Traffic>;
}

/** An upstream's server. */
export interface ServerDelta {
  /** It took them. */
  connections: number;
  /** By what went wrong. */
  failures: Map<string, number>;
  /** Times that it answered a connect, and how long that took together, ms. */
  connects: number;
  connectTime: number;
}

export interface MetricsDelta {
  /** By address. */
  readonly listeners: ReadonlyMap<string, ListenerDelta>;
  /** By server name. */
  readonly names: ReadonlyMap<string, Traffic>;
  /** By upstream and server. */
  readonly servers: ReadonlyMap<string, ReadonlyMap<string, ServerDelta>>;
  readonly preread: HistogramCounts;
  readonly connect: HistogramCounts;
  readonly session: HistogramCounts;
  readonly lag: HistogramCounts;
  /** Milliseconds. */
  readonly worstLag: number;
}
