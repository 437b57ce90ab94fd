/**
 * The load's epoll loop: who is told when a socket is ready, and for how long it runs (epoll(7)).
 *
 * Owns: the epoll instance and the table of handlers. Level-triggered: a handler does one thing an event, and no
 * connection can keep the loop for itself.
 */

import { performance } from "node:perf_hooks";
import { closeDescriptor, createEpoll, EPOLL_ADD, EPOLL_MODIFY, type Epoll } from "./sockets.ts";

/** Whoever has a socket. */
export interface Handler {
  /** @param events EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLERR, EPOLLHUP. */
  ready(events: number): void;
}

export class EventLoop {
  readonly #epoll: Epoll = createEpoll();
  /** By descriptor. */
  readonly #handlers: (Handler | undefined)[] = [];

  add(descriptor: number, events: number, handler: Handler): void {
    this.#handlers[descriptor] = handler;
    this.#epoll.control(EPOLL_ADD, descriptor, events);
  }

  change(descriptor: number, events: number): void {
    this.#epoll.control(EPOLL_MODIFY, descriptor, events);
  }

  /** Closes it; events of this turn that are still queued for it are dropped. */
  close(descriptor: number): void {
    this.#handlers[descriptor] = undefined;
    closeDescriptor(descriptor);
  }

  /** Runs for so many milliseconds, or until `isDone` says so after a turn. */
  run(milliseconds: number, isDone: () => boolean = () => false): void {
    const end = performance.now() + milliseconds;
    for (let left = milliseconds; left > 0 && !isDone(); left = end - performance.now()) {
      const count = this.#epoll.wait(Math.min(Math.ceil(left), 100));
      for (let at = 0; at < count; at++) this.#handlers[this.#epoll.descriptor(at)]?.ready(this.#epoll.events(at));
    }
  }
}
