/**
 * One client connection, whatever its load: connects, sends the ClientHello, then does what its kind does.
 *
 * Owns: its descriptor. A kind of client is a subclass in the file of its load.
 */

import type { EventLoop, Handler } from "./event_loop.ts";
import {
  connectToLoopback,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  HELLO_BYTES,
  isAgain,
  sendHello,
} from "./sockets.ts";

export const READ = EPOLLIN | EPOLLRDHUP;
export const ENDED = EPOLLRDHUP | EPOLLERR | EPOLLHUP;

export abstract class Client implements Handler {
  protected readonly loop: EventLoop;
  protected readonly descriptor: number;
  #hasSentHello = false;
  isOpen = true;

  constructor(loop: EventLoop, port: number) {
    this.loop = loop;
    this.descriptor = connectToLoopback(port);
  }

  /** Sends the hello. Over loopback a connection is established when connect returns, so that it mostly goes at once. */
  open(): void {
    this.#sendHello();
    if (this.isOpen) this.loop.add(this.descriptor, this.#hasSentHello ? this.wanted : READ | EPOLLOUT, this);
  }

  ready(events: number): void {
    if (this.#hasSentHello) {
      this.serve(events);
      return;
    }
    this.#sendHello();
    if (this.isOpen && this.#hasSentHello) this.loop.change(this.descriptor, this.wanted);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.loop.close(this.descriptor);
  }

  /** What epoll is to watch for after the hello. */
  protected get wanted(): number {
    return READ;
  }

  /** The hello is on its way, and the socket is ready. */
  protected abstract serve(events: number): void;

  /** It ended otherwise than it should. */
  protected abstract fail(): void;

  #sendHello(): void {
    const count = sendHello(this.descriptor);
    if (count === HELLO_BYTES) this.#hasSentHello = true;
    else if (count >= 0 || !isAgain()) this.fail();
  }
}
