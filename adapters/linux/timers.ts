/**
 * The engine's clock: timers that its loop runs.
 *
 * Owns: what is due when. Few timers live here (one for all deadlines of a proxy), so a sorted list is enough.
 */

import type { Clock } from "../../src/adapter.ts";

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

export class Timers implements Clock {
  /** The latest first. */
  readonly #timers: Timer[] = [];
  /** What `now` says while the loop works; 0: it does not. */
  #frozen = 0;
  readonly #changed: () => void;

  /** @param changed Told of a new timer, so that whoever sleeps wakes up in time. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** While the loop works, the time is read by `freeze` alone: asking the system for each event would cost more. */
  now(): number {
    return this.#frozen === 0 ? performance.now() : this.#frozen;
  }

  /** Reads the time, which `now` says until it is read anew or `thaw`. */
  freeze(): void {
    this.#frozen = performance.now();
  }

  thaw(): void {
    this.#frozen = 0;
  }

  wallTime(): number {
    return Date.now();
  }

  after(delay: number, task: () => void): () => void {
    const timer: Timer = { at: performance.now() + Math.max(delay, 0), task };
    let index = this.#timers.length;
    while (index > 0 && (this.#timers[index - 1] as Timer).at <= timer.at) index--;
    this.#timers.splice(index, 0, timer);
    if (index === this.#timers.length - 1) this.#changed();
    return () => {
      const place = this.#timers.indexOf(timer);
      if (place >= 0) this.#timers.splice(place, 1);
    };
  }

  get size(): number {
    return this.#timers.length;
  }

  /** When the next one is due, in the clock's milliseconds; `Infinity` for none. */
  get next(): number {
    const { length } = this.#timers;
    return length === 0 ? Number.POSITIVE_INFINITY : (this.#timers[length - 1] as Timer).at;
  }

  /** The task of a timer that is due at `now`. */
  takeDue(now: number): (() => void) | undefined {
    return this.next <= now ? this.#timers.pop()?.task : undefined;
  }
}
