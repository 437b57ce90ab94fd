/**
 * The numbers of a running proxy, as the admin interface asks for them. Types only.
 *
 * Whoever counts implements it; the interface works without, and then says of what needs it that it is not there.
 */

import type {
  BytesAnswer,
  EndingAnswer,
  HistoryAnswer,
  ListenerAnswer,
  NamesAnswer,
  NameTraffic,
  StatusAnswer,
  WorkerAnswer,
} from "./api.ts";

export interface Numbers {
  /** In Prometheus' text format. */
  prometheus(): string;
  history(): HistoryAnswer;
  names(limit: number): NamesAnswer;
  /** By reason code, most frequent first. */
  endings(): readonly EndingAnswer[];
  /** One route, over those listeners (by address) that have it. */
  route(pattern: string, listeners: readonly string[]): Omit<NameTraffic, "name">;
  totals(): Totals;
}

/** The parts of `StatusAnswer` that are numbers. */
export interface Totals extends Pick<StatusAnswer, "connections" | "memory" | "descriptors"> {
  readonly bytes: BytesAnswer;
  /** In the order of the configuration. */
  readonly listeners: readonly ListenerAnswer[];
  readonly workers: readonly WorkerAnswer[];
}
