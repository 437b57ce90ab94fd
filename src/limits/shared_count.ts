/**
 * How many there are of something in all workers together.
 *
 * Owns: one word for each worker, so that a worker that is gone takes its share with it.
 */

import { type LimitsMemory, layout } from "./limits_memory.ts";

export class SharedCount {
  readonly #cells: Int32Array;
  readonly #worker: number;
  readonly #limit: number;

  /** The connections that are not connected to a server yet. */
  constructor({ buffer, workers, buckets }: LimitsMemory, worker: number, limit: number) {
    this.#cells = new Int32Array(buffer, layout(workers, buckets).handshakes, workers);
    this.#worker = worker;
    this.#limit = limit;
  }

  /** One more. False, and nothing is counted, where that would be too many, unless it is counted all the same. */
  add(dryRun: boolean): boolean {
    Atomics.add(this.#cells, this.#worker, 1);
    let sum = 0;
    for (let worker = 0; worker < this.#cells.length; worker++) sum += Atomics.load(this.#cells, worker);
    const fits = sum <= this.#limit;
    if (!fits && !dryRun) this.subtract();
    return fits;
  }

  subtract(): void {
    Atomics.sub(this.#cells, this.#worker, 1);
  }

  forget(worker: number): void {
    Atomics.store(this.#cells, worker, 0);
  }
}
