/**
 * Round trips: 64 bytes there and back, one at a time on each connection. Without trips: connections that stay idle.
 *
 * Owns: its clients and the time that each trip takes.
 */

import { performance } from "node:perf_hooks";
import { Client, ENDED } from "./client.ts";
import type { EventLoop } from "./event_loop.ts";
import type { Part } from "./origin.ts";
import { ROUND_TRIP_BYTES } from "./protocol.ts";
import { discard, sendBulk } from "./sockets.ts";
import { Latencies, type Workload } from "./workload.ts";

export class RoundTrips implements Workload {
  readonly part: Part = "echo";
  readonly #loop: EventLoop;
  readonly #port: number;
  readonly #parallel: number;
  readonly #clients = new Set<TripClient>();
  readonly latencies = new Latencies();
  /** False: they stay idle once the origin has greeted. */
  readonly goesOn: boolean;
  /** Connections that the origin has greeted. */
  greeted = 0;
  count = 0;
  errors = 0;

  constructor(loop: EventLoop, port: number, parallel: number, goesOn = true) {
    this.#loop = loop;
    this.#port = port;
    this.#parallel = parallel;
    this.goesOn = goesOn;
  }

  get open(): number {
    return this.#clients.size;
  }

  start(): void {
    for (let at = 0; at < this.#parallel; at++) this.openOne();
  }

  openOne(): void {
    const client = new TripClient(this, this.#loop, this.#port);
    this.#clients.add(client);
    client.open();
  }

  failed(client: TripClient): void {
    this.#clients.delete(client);
    this.errors++;
  }

  stop(): void {
    this.closeAll();
  }

  closeAll(): void {
    for (const client of this.#clients) client.close();
    this.#clients.clear();
  }
}

class TripClient extends Client {
  readonly #trips: RoundTrips;
  #received = 0;
  /** 0: the next that comes is the greeting. */
  #sentAt = 0;

  constructor(trips: RoundTrips, loop: EventLoop, port: number) {
    super(loop, port);
    this.#trips = trips;
  }

  protected override serve(events: number): void {
    const count = discard(this.descriptor, ROUND_TRIP_BYTES - this.#received);
    if (count > 0) this.#received += count;
    else if (count === 0 || (events & ENDED) !== 0) {
      this.fail();
      return;
    }
    if (this.#received < ROUND_TRIP_BYTES) return;
    this.#received = 0;
    const now = performance.now();
    if (this.#sentAt === 0) {
      this.#trips.greeted++;
      if (!this.#trips.goesOn) return;
    } else {
      this.#trips.count++;
      this.#trips.latencies.add((now - this.#sentAt) * 1000);
    }
    this.#sentAt = now;
    sendBulk(this.descriptor, ROUND_TRIP_BYTES);
  }

  protected override fail(): void {
    this.close();
    this.#trips.failed(this);
  }
}
