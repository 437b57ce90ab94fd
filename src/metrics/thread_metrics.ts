/**
 * The numbers of one thread that carries connections.
 *
 * Owns: its tally, the regular look at open connections, and how late the thread's loop is. It must not tell anybody: it
 * is taken from.
 */

import type { Clock } from "../adapter.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { MetricsDelta } from "./delta.ts";
import { type LiveConnection, LiveTraffic } from "./live_traffic.ts";
import { Tally } from "./tally.ts";

/** A connection that has ended, or will. */
export interface CountedConnection extends LiveConnection {
  /** From accept to its route, ms; undefined where it did not get that far. */
  readonly prereadTime: number | undefined;
}

/** Milliseconds between two looks at the loop; a blocked one is seen by the look that it delays. */
export const LOOK = 100;
/** Looks after which the lag is told, though nothing else is new. */
const TELL_LAG = 10;

export interface ThreadMetricsParts {
  readonly clock: Pick<Clock, "now" | "after">;
  connections(): Iterable<CountedConnection>;
  /** There is something to take. */
  changed(): void;
}

export class ThreadMetrics {
  /** What is told of upstreams' servers goes here. */
  readonly tally = new Tally();
  readonly #parts: ThreadMetricsParts;
  readonly #live: LiveTraffic<CountedConnection>;
  #cancel: () => void = () => {};
  #untold = 0;

  constructor(parts: ThreadMetricsParts) {
    this.#parts = parts;
    this.#live = new LiveTraffic(() => parts.connections(), this.tally);
  }

  /** Begins to look. */
  start(): void {
    this.#cancel();
    const { clock } = this.#parts;
    const due = clock.now() + LOOK;
    this.#cancel = clock.after(LOOK, () => {
      const now = clock.now();
      this.tally.late(Math.max(0, now - due));
      this.#live.look(now);
      this.#untold++;
      if (this.tally.hasNews || this.#untold >= TELL_LAG) this.#parts.changed();
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
  }

  accepted(record: ConnectionRecord): void {
    this.tally.accepted(record.listener);
  }

  ended(connection: CountedConnection): void {
    this.tally.ended(connection.record, connection.prereadTime, this.#live.ended(connection));
  }

  /** What is new, and begins anew; undefined where nothing is that could not wait. */
  take(): MetricsDelta | undefined {
    if (!this.tally.hasNews && this.#untold < TELL_LAG) return undefined;
    this.#untold = 0;
    return this.tally.take();
  }
}
