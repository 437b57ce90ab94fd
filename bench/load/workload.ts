/**
 * What all loads have in common.
 *
 * Owns: the contract between a load and what measures it.
 */

import type { Part } from "./origin.ts";

export interface Workload {
  /** What the origin has to play. */
  readonly part: Part;
  /** Opens its connections. */
  start(): void;
  /** Bytes, connections or round trips so far. */
  readonly count: number;
  /** Connections that ended otherwise than they should. */
  readonly errors: number;
  /** Microseconds of each round trip; only loads that wait for answers have it. */
  readonly latencies?: Latencies;
  /** Opens no more, and closes what would go on for ever. */
  stop(): void;
  /** Connections that are still open. */
  readonly open: number;
  closeAll(): void;
}

const MOST = 1 << 20;

/** A fixed store, so that keeping a number costs nothing that could be measured. */
export class Latencies {
  readonly #values = new Float64Array(MOST);
  #count = 0;

  add(microseconds: number): void {
    if (this.#count < MOST) this.#values[this.#count++] = microseconds;
  }

  clear(): void {
    this.#count = 0;
  }

  /** The value that `part` of all stay within; 0 of none. */
  percentile(part: number): number {
    const sorted = this.#values.subarray(0, this.#count).toSorted();
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  }
}
