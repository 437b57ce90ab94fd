/**
 * Short connections: connect, hello, an answer of 3 KB, and the origin closes; as fast as they go.
 *
 * Owns: its clients. The next one opens when one has ended.
 */

import { Client, ENDED } from "./client.ts";
import type { EventLoop } from "./event_loop.ts";
import type { Part } from "./origin.ts";
import { ANSWER_BYTES } from "./protocol.ts";
import { BULK_BYTES, discard } from "./sockets.ts";
import type { Workload } from "./workload.ts";

export class Connections implements Workload {
  readonly part: Part = "answer";
  readonly #loop: EventLoop;
  readonly #port: number;
  readonly #parallel: number;
  readonly #clients = new Set<ShortClient>();
  #isRunning = true;
  count = 0;
  errors = 0;

  constructor(loop: EventLoop, port: number, parallel: number) {
    this.#loop = loop;
    this.#port = port;
    this.#parallel = parallel;
  }

  get open(): number {
    return this.#clients.size;
  }

  start(): void {
    for (let at = 0; at < this.#parallel; at++) this.#next();
  }

  ended(client: ShortClient, isWhole: boolean): void {
    this.#clients.delete(client);
    if (isWhole) this.count++;
    else this.errors++;
    // Where nothing listens, one failure would call for the next without end.
    if (this.#isRunning && this.errors < this.#parallel) this.#next();
  }

  stop(): void {
    this.#isRunning = false;
  }

  closeAll(): void {
    for (const client of this.#clients) client.close();
    this.#clients.clear();
  }

  #next(): void {
    const client = new ShortClient(this, this.#loop, this.#port);
    this.#clients.add(client);
    client.open();
  }
}

class ShortClient extends Client {
  readonly #connections: Connections;
  #received = 0;

  constructor(connections: Connections, loop: EventLoop, port: number) {
    super(loop, port);
    this.#connections = connections;
  }

  protected override serve(events: number): void {
    if (this.#received < ANSWER_BYTES) {
      const count = discard(this.descriptor, BULK_BYTES);
      if (count <= 0) {
        this.fail();
        return;
      }
      this.#received += count;
    }
    if (this.#received >= ANSWER_BYTES && (events & ENDED) !== 0) this.#end(this.#received === ANSWER_BYTES);
  }

  protected override fail(): void {
    this.#end(false);
  }

  #end(isWhole: boolean): void {
    this.close();
    this.#connections.ended(this, isWhole);
  }
}
