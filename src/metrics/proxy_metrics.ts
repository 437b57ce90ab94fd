/**
 * What a running proxy tells of its numbers: to the admin interface, and to Prometheus. Types only.
 */

import type {
  BytesAnswer,
  EndingAnswer,
  HistoryAnswer,
  ListenerAnswer,
  NamesAnswer,
  StatusAnswer,
  WorkerAnswer,
} from "../admin/api.ts";
import type { Traffic } from "./traffic.ts";

/** Numbers since the start. Workers tell theirs within 50 ms; what open connections move is counted once a second. */
export interface ProxyMetrics {
  /** All of it in Prometheus' text format, for the content type `PROMETHEUS_TYPE`. */
  prometheus(): string;
  history(): HistoryAnswer;
  /** The busiest server names, `limit` of them at most. */
  names(limit: number): NamesAnswer;
  /** By reason code, most frequent first; those that did not occur are left out. */
  endings(): readonly EndingAnswer[];
  /** Every route that had a connection, for each listener; `undefined` for both: what is beyond the limit of routes. */
  routes(): readonly RouteNumbers[];
  /** One route, over those listeners (by address) that have it. */
  route(pattern: string, listeners: readonly string[]): Traffic;
  totals(): Totals;
}

export interface RouteNumbers {
  /** The listener's address. */
  readonly listener: string | undefined;
  /** The pattern, as written. */
  readonly route: string | undefined;
  readonly traffic: Traffic;
}

/** The parts of `StatusAnswer` that are numbers. */
export interface Totals extends Pick<StatusAnswer, "connections" | "memory" | "descriptors"> {
  readonly bytes: BytesAnswer;
  /** In the order of the configuration. */
  readonly listeners: readonly ListenerAnswer[];
  /** `lag` is the worst one since this was last asked. */
  readonly workers: readonly WorkerAnswer[];
}
