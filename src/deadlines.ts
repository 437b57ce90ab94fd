/**
 * Deadlines of many connections over one timer.
 *
 * Owns: which item is due when. It must not read a clock or set a timer: the caller passes `now` and asks
 * `next` for how long to sleep. Instants are rounded up to ticks of `TICK` ms, and items of one tick share a
 * bucket, so that moving a deadline costs two set operations.
 */

/** Resolution in milliseconds. */
export const TICK = 25;

/** What an item carries for its place in the queue; only `Deadlines` writes it. */
export interface Timed {
  /** Tick at which it is due; 0 when it has no deadline. */
  dueTick: number;
}

export class Deadlines<Item extends Timed> {
  readonly #buckets = new Map<number, Set<Item>>();
  /** Min-heap of ticks that have, or had, a bucket. */
  readonly #ticks: number[] = [];

  /** Gives `item` the deadline `at` (ms), in place of any it had; `Infinity` takes it out. */
  set(item: Item, at: number): void {
    const tick = at === Infinity ? 0 : Math.max(1, Math.ceil(at / TICK));
    if (tick === item.dueTick) return;
    this.#leave(item);
    if (tick === 0) return;
    item.dueTick = tick;
    const bucket = this.#buckets.get(tick);
    if (bucket !== undefined) bucket.add(item);
    else {
      this.#buckets.set(tick, new Set([item]));
      this.#push(tick);
    }
  }

  /** The next instant (ms) at which something is due, or `Infinity`. */
  next(): number {
    for (;;) {
      const tick = this.#ticks[0];
      if (tick === undefined) return Infinity;
      if (this.#buckets.get(tick)!.size > 0) return tick * TICK;
      this.#buckets.delete(this.#pop());
    }
  }

  /** Takes out and hands over every item due at `now` (ms). `due` may set deadlines anew; an item that
   * another's `due` moved in the same call is still handed over once. */
  expire(now: number, due: (item: Item) => void): void {
    while (this.next() <= now) {
      const tick = this.#pop();
      const bucket = this.#buckets.get(tick)!;
      this.#buckets.delete(tick);
      for (const item of bucket) item.dueTick = 0;
      for (const item of bucket) due(item);
    }
  }

  #leave(item: Item): void {
    // An empty bucket stays until its tick is next: deleting it here would push its tick again and again.
    this.#buckets.get(item.dueTick)?.delete(item);
    item.dueTick = 0;
  }

  #push(tick: number): void {
    const heap = this.#ticks;
    let at = heap.push(tick) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= tick) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = tick;
  }

  #pop(): number {
    const heap = this.#ticks;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
