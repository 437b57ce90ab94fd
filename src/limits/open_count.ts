/**
 * How many connections are open in all workers together, and which workers wait for one to end.
 *
 * Owns: a few words of shared memory, each worker's share among them, so that a worker that is gone takes it with it.
 */

/** Plain data: it goes to each worker in a message. */
export interface OpenMemory {
  readonly buffer: SharedArrayBuffer;
  readonly workers: number;
}

const TOTAL = 0;
/** Not 0: that the limit is reached was told. */
const TOLD = 1;
/** Workers that have stopped accepting. */
const WAITING = 2;
/** Two for each worker: its connections, and whether it waits. */
const WORKERS = 3;

export function createOpenMemory(workers: number): OpenMemory {
  return { buffer: new SharedArrayBuffer(4 * (WORKERS + 2 * workers)), workers };
}

export class OpenCount {
  readonly #words: Int32Array;
  readonly #own: number;

  constructor({ buffer }: OpenMemory, worker: number) {
    this.#words = new Int32Array(buffer);
    this.#own = WORKERS + 2 * worker;
  }

  get total(): number {
    return Atomics.load(this.#words, TOTAL);
  }

  /** One more. False, and nothing is counted, where there are `limit` already. */
  enter(limit: number): boolean {
    for (let total = this.total; total < limit; ) {
      const found = Atomics.compareExchange(this.#words, TOTAL, total, total + 1);
      if (found === total) {
        Atomics.add(this.#words, this.#own, 1);
        return true;
      }
      total = found;
    }
    return false;
  }

  leave(): void {
    Atomics.sub(this.#words, this.#own, 1);
    Atomics.sub(this.#words, TOTAL, 1);
  }

  /** Some worker waits until one leaves. */
  get isAwaited(): boolean {
    return Atomics.load(this.#words, WAITING) > 0;
  }

  /** This worker waits, or no longer does. */
  setWaiting(waits: boolean): void {
    const before = Atomics.exchange(this.#words, this.#own + 1, waits ? 1 : 0);
    Atomics.add(this.#words, WAITING, (waits ? 1 : 0) - before);
  }

  /** There is no room. True: nobody has said so yet. */
  fill(): boolean {
    return Atomics.exchange(this.#words, TOLD, 1) === 0;
  }

  /** There is room. True: nobody has said so yet. */
  clear(): boolean {
    return Atomics.exchange(this.#words, TOLD, 0) === 1;
  }

  /** This worker is gone, and its connections with it. */
  forget(): void {
    Atomics.sub(this.#words, TOTAL, Atomics.exchange(this.#words, this.#own, 0));
    this.setWaiting(false);
  }
}
