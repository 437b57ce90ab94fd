/**
 * How many connections have ended, by reason code, and how many would have been refused by a dry run.
 *
 * Owns: the numbers since the start, and what of them is still to be told. Workers tell the control plane what has
 * changed, so that its sums are exact.
 */

import type { ConnectionRecord } from "../connection_record.ts";
import { REASONS, type Reason } from "../reason.ts";

/** Connections by reason code; those that did not occur are left out. */
export type ReasonCounts = Readonly<Partial<Record<Reason, number>>>;

export interface ConnectionCounts {
  readonly ended: ReasonCounts;
  /** By the reason with which a limit or a list would have refused them, had it not been a dry run. */
  readonly wouldReject: ReasonCounts;
}

const CODES = Object.keys(REASONS) as readonly Reason[];

export class Counts {
  #ended: Partial<Record<Reason, number>> = {};
  #wouldReject: Partial<Record<Reason, number>> = {};

  /** A connection has ended. */
  add({ reason, wouldReject }: ConnectionRecord): void {
    this.#ended[reason] = (this.#ended[reason] ?? 0) + 1;
    if (wouldReject !== undefined) this.#wouldReject[wouldReject] = (this.#wouldReject[wouldReject] ?? 0) + 1;
  }

  /** What another one has counted. */
  merge({ ended, wouldReject }: ConnectionCounts): void {
    for (const code of CODES) {
      if (ended[code] !== undefined) this.#ended[code] = (this.#ended[code] ?? 0) + ended[code];
      if (wouldReject[code] !== undefined) {
        this.#wouldReject[code] = (this.#wouldReject[code] ?? 0) + wouldReject[code];
      }
    }
  }

  get snapshot(): ConnectionCounts {
    return { ended: { ...this.#ended }, wouldReject: { ...this.#wouldReject } };
  }

  /** All of it, and begins anew; undefined where nothing has ended since. */
  take(): ConnectionCounts | undefined {
    const taken = { ended: this.#ended, wouldReject: this.#wouldReject };
    if (Object.keys(taken.ended).length === 0) return undefined;
    this.#ended = {};
    this.#wouldReject = {};
    return taken;
  }
}
