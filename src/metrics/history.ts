/**
 * The last hour.
 *
 * Owns: a sample each ten seconds, in memory only. Time is given.
 */

import type { HistoryAnswer, HistorySample } from "../admin/api.ts";

/** Milliseconds between two samples, and how many are kept. */
export const INTERVAL = 10_000;
export const SAMPLES = 360;

/** Sums since the start. */
export interface Sums {
  readonly accepted: number;
  readonly received: number;
  readonly sent: number;
  readonly rejected: number;
  /** By the reason's number. */
  readonly ended: readonly number[];
}

export class History {
  readonly #samples: HistorySample[] = [];
  /** What had ended when each sample of the last hour began, the oldest first. */
  readonly #ended: (readonly number[])[] = [];
  #last: Sums;

  constructor(now: Sums) {
    this.#last = now;
  }

  /** @param at since the epoch, ms. @param open connections. */
  sample(at: number, open: number, now: Sums): void {
    const last = this.#last;
    this.#samples.push({
      at,
      open,
      accepted: now.accepted - last.accepted,
      rejected: now.rejected - last.rejected,
      received: now.received - last.received,
      sent: now.sent - last.sent,
    });
    this.#ended.push(last.ended);
    this.#last = now;
    if (this.#samples.length <= SAMPLES) return;
    this.#samples.shift();
    this.#ended.shift();
  }

  get answer(): HistoryAnswer {
    return { interval: INTERVAL, samples: [...this.#samples] };
  }

  /** How many ended within the last hour, by the reason's number. @param ended until now. */
  lastHour(ended: readonly number[]): number[] {
    const before = this.#ended[0] ?? this.#last.ended;
    return ended.map((count, reason) => count - (before[reason] ?? 0));
  }
}
