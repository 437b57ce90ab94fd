/**
 * Traffic by server name, in bounded memory.
 *
 * Owns: the names that are kept. Clients choose names, so there may be any number; as many as fit are exact. Beyond that
 * it is space-saving (Metwally, Agrawal, El Abbadi 2005): a new name takes the place of the one with the lowest rank, and its
 * rank on top, so that a busy name is found again however many others come by. Unlike there, a name is only ever shown
 * with its own numbers; those of a name that went are added to the others, so that the sum of all is exact.
 */

import { addTraffic, noTraffic, type Traffic } from "./traffic.ts";

/** Names that are kept. */
export const MOST_NAMES = 1_000;

interface Entry {
  readonly name: string;
  readonly traffic: Traffic;
  /** Bytes, and what it inherited. */
  rank: number;
  /** Its rank when it got its place in the heap: never above `rank`. */
  placed: number;
}

export class BusiestNames {
  readonly #most: number;
  readonly #entries = new Map<string, Entry>();
  /** Min-heap by `placed`. */
  readonly #heap: Entry[] = [];
  /** Of names that are not kept. */
  readonly others: Traffic = noTraffic();

  constructor(most = MOST_NAMES) {
    this.#most = most;
  }

  add(name: string, traffic: Readonly<Traffic>): void {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      const inherited = this.#heap.length < this.#most ? 0 : this.#dropLowest();
      entry = { name, traffic: noTraffic(), rank: inherited, placed: inherited };
      this.#entries.set(name, entry);
      this.#push(entry);
    }
    addTraffic(entry.traffic, traffic);
    entry.rank += traffic.received + traffic.sent;
  }

  /** The busiest first, by bytes. */
  top(limit: number): (Traffic & { readonly name: string })[] {
    const all = [...this.#entries.values()].map(({ name, traffic }) => ({ name, ...traffic }));
    return all.toSorted((a, b) => b.received + b.sent - a.received - a.sent).slice(0, limit);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @returns its rank. */
  #dropLowest(): number {
    const heap = this.#heap;
    for (;;) {
      const lowest = heap[0]!;
      if (lowest.placed === lowest.rank) break;
      lowest.placed = lowest.rank;
      this.#sink(lowest);
    }
    const dropped = heap[0]!;
    const last = heap.pop()!;
    if (last !== dropped) this.#sink(last);
    this.#entries.delete(dropped.name);
    addTraffic(this.others, dropped.traffic);
    return dropped.rank;
  }

  /** Puts `entry` in the place of the first one, and down to where it belongs. */
  #sink(entry: Entry): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.placed < heap[child]!.placed) child++;
      if (heap[child]!.placed >= entry.placed) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = entry;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.placed <= entry.placed) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }
}
