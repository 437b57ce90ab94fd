/**
 * Deadlines of many connections over one timer.
 *
 * Owns: which item is due when. It must not read a clock or set a timer: the caller passes `now` and asks
 * `next` for how long to sleep. Instants are rounded up to ticks of `TICK` ms; the items of one tick are linked through
 * themselves, so that moving a deadline allocates nothing.
 */

/** Resolution in milliseconds. */
export const TICK = 25;

/** What an item carries for its place in the queue; only `Deadlines` writes it. */
export interface Timed {
  /** Tick at which it is due; 0 when it has no deadline. */
  dueTick: number;
  /** Its neighbours among the items of that tick. */
  dueBefore: Timed | undefined;
  dueAfter: Timed | undefined;
}

/** The items of one tick. */
class Bucket {
  readonly tick: number;
  first: Timed | undefined;

  constructor(tick: number) {
    this.tick = tick;
  }
}

export class Deadlines<Item extends Timed> {
  readonly #buckets = new Map<number, Bucket>();
  /** Min-heap of ticks that have, or had, a bucket. */
  readonly #ticks: number[] = [];
  /** The one that was used last: many items in a row are due in the same tick. */
  #recent = new Bucket(0);

  /** Gives `item` the deadline `at` (ms), in place of any it had; `Infinity` takes it out. */
  set(item: Item, at: number): void {
    const tick = at === Infinity ? 0 : Math.max(1, Math.ceil(at / TICK));
    if (tick === item.dueTick) return;
    if (item.dueTick !== 0) this.#leave(item);
    if (tick !== 0) this.#join(item, tick);
  }

  /** The next instant (ms) at which something is due, or `Infinity`. */
  next(): number {
    for (;;) {
      const tick = this.#ticks[0];
      if (tick === undefined) return Infinity;
      if (this.#buckets.get(tick)!.first !== undefined) return tick * TICK;
      this.#drop(this.#pop());
    }
  }

  /** Takes out and hands over every item due at `now` (ms). `due` may set deadlines anew; an item that
   * another's `due` moved in the same call is still handed over once. */
  expire(now: number, due: (item: Item) => void): void {
    while (this.next() <= now) {
      const bucket = this.#drop(this.#pop());
      const items: Item[] = [];
      while (bucket.first !== undefined) {
        items.push(bucket.first as Item);
        this.#leave(bucket.first, bucket);
      }
      for (const item of items) due(item);
    }
  }

  #join(item: Timed, tick: number): void {
    const bucket = this.#recent.tick === tick ? this.#recent : this.#bucket(tick);
    item.dueTick = tick;
    item.dueAfter = bucket.first;
    if (bucket.first !== undefined) bucket.first.dueBefore = item;
    bucket.first = item;
  }

  #bucket(tick: number): Bucket {
    let bucket = this.#buckets.get(tick);
    if (bucket === undefined) {
      bucket = new Bucket(tick);
      this.#buckets.set(tick, bucket);
      this.#push(tick);
    }
    this.#recent = bucket;
    return bucket;
  }

  /** An empty bucket stays until its tick is next: dropping it here would push its tick again and again. */
  #leave(item: Timed, from?: Bucket): void {
    const { dueTick, dueBefore, dueAfter } = item;
    if (dueAfter !== undefined) dueAfter.dueBefore = dueBefore;
    if (dueBefore !== undefined) dueBefore.dueAfter = dueAfter;
    else (from ?? (this.#recent.tick === dueTick ? this.#recent : this.#buckets.get(dueTick)))!.first = dueAfter;
    item.dueTick = 0;
    item.dueBefore = undefined;
    item.dueAfter = undefined;
  }

  #drop(tick: number): Bucket {
    const bucket = this.#buckets.get(tick)!;
    this.#buckets.delete(tick);
    if (this.#recent === bucket) this.#recent = new Bucket(0);
    return bucket;
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
