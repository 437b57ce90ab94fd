/**
 * Bytes per second: how much of a direction may pass now, and the one timer for all that must wait.
 *
 * Owns: the token bucket of a direction, and the list of those that wait. It must not touch a socket. However many
 * wait, there is one timer, and no waiting allocates anything of its own.
 */

import type { Clock } from "../../src/adapter.ts";

/** Milliseconds between two looks at those that wait. */
const TICK = 25;
/** What may pass at once after a rest, in milliseconds of the rate; more than a late tick costs. */
const BURST = 100;
/** Fewer bytes at once than these are not worth a packet. */
const LEAST_BURST = 4096;
const LEAST_PORTION = 1460;
/** What passed before the rate began delays the rest by so many milliseconds at most: longer, and it would look idle. */
const LONGEST_DEBT = 10_000;

/** The token bucket of one direction. */
export class Throttle {
  /** Bytes that may pass, as `allowance` said; below 0 while what had passed before is made up for. */
  room: number;
  /** Who waits for more; only the pacer writes it. */
  waiter: Paced | undefined;
  /** Bytes per millisecond. */
  readonly #rate: number;
  readonly #burst: number;
  readonly #portion: number;
  #at: number;

  /** @param rate bytes per second. @param now the clock's milliseconds. @param passed bytes that have passed before. */
  constructor(rate: number, now: number, passed = 0) {
    this.#rate = rate / 1000;
    this.#burst = Math.max(LEAST_BURST, Math.floor(this.#rate * BURST));
    this.#portion = Math.max(LEAST_PORTION, Math.floor(this.#rate * TICK));
    this.room = this.#burst - Math.min(passed, this.#burst + Math.floor(this.#rate * LONGEST_DEBT));
    this.#at = now;
  }

  /** Bytes that may pass at `now`; 0 until there are enough of them. */
  allowance(now: number): number {
    const earned = Math.floor((now - this.#at) * this.#rate);
    if (earned > 0) {
      this.room = Math.min(this.#burst, this.room + earned);
      // What is less than a byte is earned further.
      this.#at += earned / this.#rate;
    }
    return this.room >= this.#portion ? this.room : 0;
  }

  /** So many have passed, `room` at most. */
  spend(bytes: number): void {
    this.room -= bytes;
  }
}

/** Whoever waits until more may pass. */
export interface Paced {
  paced(): void;
}

export class Pacer {
  readonly clock: Clock;
  #waiting: Throttle[] = [];
  #cancel: (() => void) | undefined;
  readonly #tick = (): void => this.#run();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Whether more of a direction may pass now: `throttle.room` bytes. If not, `who.paced` is called at the next tick. */
  mayPass(throttle: Throttle, who: Paced): boolean {
    if (throttle.allowance(this.clock.now()) > 0) return true;
    if (throttle.waiter === undefined) {
      this.#waiting.push(throttle);
      this.#cancel ??= this.clock.after(TICK, this.#tick);
    }
    throttle.waiter = who;
    return false;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting = [];
  }

  #run(): void {
    this.#cancel = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    let next = 0;
    try {
      while (next < batch.length) {
        const throttle = batch[next++] as Throttle;
        const { waiter } = throttle;
        throttle.waiter = undefined;
        waiter?.paced();
      }
    } finally {
      // One that throws must not cost the others their turn.
      for (; next < batch.length; next++) this.#waiting.push(batch[next] as Throttle);
      if (this.#waiting.length > 0) this.#cancel ??= this.clock.after(TICK, this.#tick);
    }
  }
}
