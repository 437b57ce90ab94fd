/**
 * The server behind the proxies: takes a ClientHello and plays the part that the load gives it.
 *
 * Owns: the listener and its connections. It does not look into the hello: that is the proxy's work.
 */

import type { EventLoop, Handler } from "./event_loop.ts";
import { ANSWER_BYTES, ROUND_TRIP_BYTES } from "./protocol.ts";
import {
  acceptFrom,
  BULK_BYTES,
  discard,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  HELLO_BYTES,
  listenOnLoopback,
  sendBulk,
} from "./sockets.ts";

/**
 * `answer` sends its answer and closes; `source` sends without end; `sink` takes everything; `echo` greets with so
 * many bytes as a round trip has, and returns those that come.
 */
export type Part = "answer" | "source" | "sink" | "echo";

const READ = EPOLLIN | EPOLLRDHUP;
const ENDED = EPOLLRDHUP | EPOLLERR | EPOLLHUP;

export class Origin implements Handler {
  readonly port: number;
  readonly #loop: EventLoop;
  readonly #listener: number;
  readonly #connections = new Set<OriginConnection>();
  part: Part = "answer";
  /** Bytes that `sink` has taken. */
  taken = 0;

  constructor(loop: EventLoop) {
    const { descriptor, port } = listenOnLoopback();
    this.#loop = loop;
    this.#listener = descriptor;
    this.port = port;
    loop.add(descriptor, EPOLLIN, this);
  }

  get open(): number {
    return this.#connections.size;
  }

  ready(): void {
    for (;;) {
      const descriptor = acceptFrom(this.#listener);
      if (descriptor < 0) return;
      const connection = new OriginConnection(this, this.#loop, descriptor);
      // The kernel hands a connection over with its first bytes: short ones never see epoll.
      connection.ready(EPOLLIN);
      if (connection.isOpen) {
        this.#connections.add(connection);
        this.#loop.add(descriptor, connection.wanted, connection);
      }
    }
  }

  remove(connection: OriginConnection): void {
    this.#connections.delete(connection);
  }

  closeAll(): void {
    for (const connection of this.#connections) connection.close();
  }
}

class OriginConnection implements Handler {
  readonly #origin: Origin;
  readonly #loop: EventLoop;
  readonly #descriptor: number;
  readonly #part: Part;
  #helloLeft = HELLO_BYTES;
  /** Bytes of a round trip that have come. */
  #trip = 0;
  #isWatched = false;
  isOpen = true;

  constructor(origin: Origin, loop: EventLoop, descriptor: number) {
    this.#origin = origin;
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.#part = origin.part;
  }

  /** What epoll is to watch for; asked once. */
  get wanted(): number {
    this.#isWatched = true;
    return this.#helloLeft === 0 && this.#part === "source" ? READ | EPOLLOUT : READ;
  }

  ready(events: number): void {
    if (this.#helloLeft > 0) this.#takeHello(events);
    else if (this.#part === "source") this.#serveSource(events);
    else if (this.#part === "sink") this.#serveSink();
    else this.#serveEcho(events);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#loop.close(this.#descriptor);
    this.#origin.remove(this);
  }

  #takeHello(events: number): void {
    const count = discard(this.#descriptor, this.#helloLeft);
    if (count > 0) this.#helloLeft -= count;
    else if (count === 0 || (events & ENDED) !== 0) {
      this.close();
      return;
    }
    if (this.#helloLeft > 0) return;
    if (this.#part === "answer") {
      sendBulk(this.#descriptor, ANSWER_BYTES);
      this.close();
    } else if (this.#part === "echo") {
      sendBulk(this.#descriptor, ROUND_TRIP_BYTES);
    } else if (this.#part === "source" && this.#isWatched) {
      this.#loop.change(this.#descriptor, READ | EPOLLOUT);
    }
  }

  #serveSource(events: number): void {
    if ((events & ENDED) !== 0) this.close();
    else sendBulk(this.#descriptor, BULK_BYTES);
  }

  #serveSink(): void {
    const count = discard(this.#descriptor, BULK_BYTES);
    if (count > 0) this.#origin.taken += count;
    else this.close();
  }

  #serveEcho(events: number): void {
    const count = discard(this.#descriptor, ROUND_TRIP_BYTES - this.#trip);
    if (count > 0) this.#trip += count;
    else if (count === 0 || (events & ENDED) !== 0) {
      this.close();
      return;
    }
    if (this.#trip < ROUND_TRIP_BYTES) return;
    this.#trip = 0;
    sendBulk(this.#descriptor, ROUND_TRIP_BYTES);
  }
}
