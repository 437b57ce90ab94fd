/**
 * One direction of a relay of streams that has a rate.
 *
 * Owns: what was read and may not pass yet: the bytes of one read, as a rule. The stream they came from is paused until
 * they have passed, so that they stay valid, and the sender is slowed down. An end behind them waits with them.
 */

import { systemClock } from "../clock.ts";
import { type Paced, Pacer, Throttle } from "./pacer.ts";
import type { Stream } from "./stream.ts";

/** Of all relays of this thread. */
const pacer = new Pacer(systemClock);

/** Where the bytes come from, and where they go. */
export interface FlowEnd {
  readonly stream: Stream;
  readonly finished: boolean;
  readonly isClosed: boolean;
  /** It cannot take more now; its `drained` calls `proceed`. */
  readonly blocked: boolean;
  send(bytes: Uint8Array): void;
}

export class PacedFlow implements Paced {
  readonly #from: FlowEnd;
  readonly #to: FlowEnd;
  readonly #throttle: Throttle;
  readonly #held: Uint8Array[] = [];
  #paused = false;
  #last: "end" | "finish" | undefined;

  /** @param rate bytes per second. @param passed bytes that have passed before. */
  constructor(rate: number, from: FlowEnd, to: FlowEnd, passed?: number) {
    this.#from = from;
    this.#to = to;
    this.#throttle = new Throttle(rate, systemClock.now(), passed);
  }

  get holds(): boolean {
    return this.#held.length > 0;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.proceed();
  }

  /** The receiver's `end` or `finish`, behind what is held. */
  conclude(how: "end" | "finish"): void {
    if (this.holds) this.#last = how;
    else this.#to.stream[how]();
  }

  paced(): void {
    this.proceed();
  }

  /** Passes on what may pass now. */
  proceed(): void {
    if (this.#to.isClosed) this.#held.length = 0;
    while (this.holds && !this.#to.blocked) {
      if (!pacer.mayPass(this.#throttle, this)) break;
      this.#sendSome(this.#throttle.room);
    }
    if (this.holds) this.#pause();
    else this.#goOn();
  }

  #sendSome(room: number): void {
    const bytes = this.#held[0] as Uint8Array;
    const part = bytes.length <= room ? bytes : bytes.subarray(0, room);
    if (part === bytes) this.#held.shift();
    else this.#held[0] = bytes.subarray(room);
    this.#throttle.spend(part.length);
    this.#to.send(part);
  }

  #pause(): void {
    this.#paused = true;
    this.#from.stream.pause();
  }

  /** Nothing is held any more. */
  #goOn(): void {
    const last = this.#last;
    this.#last = undefined;
    if (last !== undefined) this.#to.stream[last]();
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#from.finished && !this.#to.blocked) this.#from.stream.resume();
  }
}
