/**
 * Bulk: some connections that carry as many bytes as will go, one way.
 *
 * Owns: its clients. Bytes are counted where they arrive.
 */

import { Client, ENDED, READ } from "./client.ts";
import type { EventLoop } from "./event_loop.ts";
import type { Origin, Part } from "./origin.ts";
import { BULK_BYTES, discard, EPOLLOUT, sendBulk } from "./sockets.ts";
import type { Workload } from "./workload.ts";

export class Bulk implements Workload {
  readonly part: Part;
  readonly #loop: EventLoop;
  readonly #origin: Origin;
  readonly #port: number;
  readonly #parallel: number;
  readonly #clients = new Set<BulkClient>();
  received = 0;
  errors = 0;

  constructor(loop: EventLoop, origin: Origin, port: number, parallel: number, direction: "down" | "up") {
    this.#loop = loop;
    this.#origin = origin;
    this.#port = port;
    this.#parallel = parallel;
    this.part = direction === "down" ? "source" : "sink";
  }

  get count(): number {
    return this.part === "source" ? this.received : this.#origin.taken;
  }

  get open(): number {
    return this.#clients.size;
  }

  start(): void {
    for (let at = 0; at < this.#parallel; at++) {
      const client = new BulkClient(this, this.#loop, this.#port);
      this.#clients.add(client);
      client.open();
    }
  }

  remove(client: BulkClient): void {
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

class BulkClient extends Client {
  readonly #bulk: Bulk;

  constructor(bulk: Bulk, loop: EventLoop, port: number) {
    super(loop, port);
    this.#bulk = bulk;
  }

  protected override get wanted(): number {
    return this.#bulk.part === "sink" ? READ | EPOLLOUT : READ;
  }

  protected override serve(events: number): void {
    if (this.#bulk.part === "sink") {
      if ((events & ENDED) !== 0) this.fail();
      else sendBulk(this.descriptor, BULK_BYTES);
      return;
    }
    const count = discard(this.descriptor, BULK_BYTES);
    if (count > 0) this.#bulk.received += count;
    else this.fail();
  }

  protected override fail(): void {
    this.close();
    this.#bulk.remove(this);
  }
}
