/**
 * The contract's `Socket` on top of a `Stream`: one answer for each `read`.
 *
 * Owns: what came before it was asked for. It must not read ahead: the stream is paused between two reads, so that
 * a peer that sends without end is stopped by the kernel.
 */

import type { Socket, SocketHandlers } from "../../src/adapter.ts";
import type { IoError } from "../../src/errors.ts";
import type { Stream, StreamOwner } from "./stream.ts";

declare function queueMicrotask(task: () => void): void;

/** Until the owner sets its own. */
const NO_HANDLERS: SocketHandlers = { received() {}, ended() {}, closed() {} };

/** What a socket had read before it was handed to a relay. */
export interface Leftovers {
  readonly chunks: readonly Uint8Array[];
  readonly ended: boolean;
  readonly closed: boolean;
}

export class StreamSocket implements Socket, StreamOwner {
  handlers: SocketHandlers = NO_HANDLERS;
  readonly stream: Stream;
  #asked = false;
  #early: Uint8Array[] = [];
  /** The peer's FIN came; and it was not told yet. */
  #finSeen = false;
  #ended = false;
  #closed = false;

  constructor(stream: Stream) {
    this.stream = stream;
    stream.owner = this;
  }

  get remote() {
    return this.stream.remote;
  }

  get local() {
    return this.stream.local;
  }

  read(): void {
    if (this.#asked || this.#closed) return;
    this.#asked = true;
    if (this.#early.length > 0 || this.#ended) queueMicrotask(() => this.#answer());
    else this.stream.resume();
  }

  write(bytes: Uint8Array): void {
    this.stream.write(new Uint8Array(bytes));
  }

  end(): void {
    this.stream.end();
  }

  reset(): void {
    this.stream.reset();
  }

  destroy(): void {
    this.stream.destroy();
  }

  /** Gives the stream away: no handler is called from now on. */
  handOver(owner: StreamOwner): Leftovers {
    const leftovers = { chunks: this.#early, ended: this.#finSeen, closed: this.#closed };
    this.#early = [];
    this.#asked = false;
    this.stream.owner = owner;
    return leftovers;
  }

  received(bytes: Uint8Array): void {
    if (!this.#asked) {
      this.#early.push(new Uint8Array(bytes));
      this.stream.pause();
      return;
    }
    this.#asked = false;
    this.handlers.received(bytes);
    if (!this.#asked && this.stream.owner === this) this.stream.pause();
  }

  ended(): void {
    this.#finSeen = true;
    this.#ended = true;
    if (this.#asked) this.#answer();
  }

  drained(): void {}

  closed(error: IoError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#early = [];
    this.handlers.closed(error);
  }

  /** Answers a read with what is already here, if it is still wanted. */
  #answer(): void {
    if (!this.#asked || this.#closed) return;
    const bytes = this.#early.shift();
    if (bytes === undefined && !this.#ended) return;
    this.#asked = false;
    if (bytes === undefined) {
      this.#ended = false;
      this.handlers.ended();
    } else {
      this.handlers.received(bytes);
    }
  }
}
