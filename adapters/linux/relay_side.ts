/**
 * One of the two sockets of a relay: what comes from it goes to its peer, by copying or by `splice(2)`.
 *
 * Owns: the pump of one direction, and this side's end. What is on its way to this side is `relay_outlet.ts`'s, what a
 * broken side means for the other `relay.ts`'s. No event allocates anything, unless the peer is slow.
 *
 * Small exchanges are copied through the one shared buffer. A direction that has moved more than that without
 * falling quiet is bulk: it goes through a pipe, which is given back whenever it is empty.
 */

import type { RelayEndReason } from "../../src/adapter.ts";
import type { IoError } from "../../src/errors.ts";
import type { Paced, Throttle } from "../shared/pacer.ts";
import * as linux from "./constants.ts";
import { BUFFER_SIZE, systemError } from "./kernel.ts";
import type { Deferred } from "./loop.ts";
import { CANNOT_SPLICE, PIPE_SIZE } from "./pipes.ts";
import { BLOCKED, CLOSED, RelayOutlet } from "./relay_outlet.ts";
import type { RelayedSocket } from "./socket.ts";

/** What one direction may move before others have their turn. */
const TURN = 4 * 1024 * 1024;
/** A wake-up that moves less than this is no bulk. */
const QUIET = 16 * 1024;

/** Bits of a side's `flags`, behind those of its outlet. */
const FINISHED = 1 << 2;
/** No more bytes come for this side: FIN goes out behind what waits. */
const FIN_WANTED = 1 << 3;
/** To be closed behind what waits. */
const CLOSING = 1 << 4;
const QUEUED = 1 << 5;

/** Sees what comes from a side; the number of bytes that may pass. */
export type Filter = (bytes: Uint8Array) => number;

export class RelaySide extends RelayOutlet implements RelayedSocket, Deferred, Paced {
  generation = 0;
  peer: RelaySide = this;
  /** What comes from this side must be looked at, and cannot be spliced. */
  filter: Filter | undefined;
  /** What comes from this side has a rate. */
  throttle: Throttle | undefined;
  /** Bytes that came from this side since it last was quiet. */
  #streak = 0;

  /** What its breaking before its FIN is called. */
  get breakReason(): RelayEndReason {
    return this === this.relay.client ? "client_reset" : "server_reset";
  }

  /** Its FIN was read: nothing more comes. */
  get finished(): boolean {
    return this.has(FINISHED);
  }

  /** Takes over the socket, and begins soon. */
  start(): void {
    const { socket } = this;
    socket.handOver(this);
    this.put(FINISHED, socket.finSeen);
    if (socket.fd < 0) this.#defer();
    else {
      this.put(BLOCKED, socket.unsent !== undefined);
      socket.watch();
      if (socket.mayRead) this.#defer();
    }
  }

  // --- events ---

  ready(events: number): void {
    const { socket } = this;
    socket.noteEvents(events);
    if (this.has(BLOCKED) && (events & (linux.EPOLLOUT | linux.EPOLLERR | linux.EPOLLHUP)) !== 0) this.#flush();
    if (socket.mayRead) this.#pump();
    if ((events & linux.EPOLLERR) !== 0 && !this.isClosed) this.#checkError();
  }

  runDeferred(): void {
    this.put(QUEUED, false);
    if (!this.isClosed && this.socket.fd < 0) {
      this.broke(undefined);
      return;
    }
    // Even if the peer's FIN has closed this side meanwhile: the peer has to hear of ours.
    if (this.finished && !this.peer.has(FIN_WANTED)) this.#finishPeer();
    if (!this.isClosed) this.#pump();
  }

  faulted(): void {
    this.relay.abort(this.breakReason, { code: "EUNKNOWN", message: "a fault in the program" });
  }

  #defer(): void {
    if (this.has(QUEUED)) return;
    this.put(QUEUED, true);
    this.relay.parts.loop.soon(this);
  }

  #checkError(): void {
    const errno = this.relay.parts.kernel.takeError(this.socket.fd);
    if (errno !== 0) this.unwritable(systemError(errno, "relay"));
  }

  // --- from this side ---

  /** Moves what has come, until there is no more or the peer is full. */
  #pump(): void {
    const { peer, socket } = this;
    let moved = 0;
    while (!(this.finished || this.isClosed || this.has(CLOSING) || peer.has(BLOCKED)) && socket.mayRead) {
      if (moved >= TURN) {
        if (!this.has(QUEUED)) this.relay.parts.loop.later(this);
        this.put(QUEUED, true);
        return;
      }
      if (this.throttle !== undefined && !this.relay.parts.pacer.mayPass(this.throttle, this)) break;
      const bulk = this.#streak + moved >= BUFFER_SIZE && this.filter === undefined && peer.takes;
      const count = bulk ? this.#splice() : this.#copy();
      if (count === 0) break;
      moved += count;
    }
    this.#streak = moved < QUIET && !peer.has(BLOCKED) ? 0 : this.#streak + moved;
  }

  /** The rate lets more pass, perhaps. */
  paced(): void {
    if (!this.isClosed) this.#defer();
  }

  /** One buffer's worth through our own memory; 0 where that was all for now. */
  #copy(): number {
    const { kernel } = this.relay.parts;
    const { socket, throttle } = this;
    const size = throttle === undefined ? BUFFER_SIZE : Math.min(BUFFER_SIZE, throttle.room);
    const count = kernel.libc.read(socket.fd, kernel.inbound.address, size);
    if (count <= 0) {
      this.#ranOut(count);
      return 0;
    }
    // A short read says that the kernel has no more bytes; where FIN is known to be behind them, it is not asked for.
    throttle?.spend(count);
    const isAll = count < size && socket.isStream;
    const isLast = isAll && socket.finQueued;
    this.#pass(count, isLast);
    if (this.isClosed) return count;
    if (isLast) this.#sawFin();
    else if (isAll && !socket.moreQueued) socket.mayRead = false;
    return count;
  }

  #pass(count: number, isLast: boolean): void {
    let length = count;
    if (this.filter !== undefined) {
      length = Math.min(count, this.filter(this.relay.parts.kernel.inbound.bytes.subarray(0, count)));
      if (length < 0) {
        this.relay.abort("cut", undefined);
        return;
      }
    }
    if (length > 0 && this.peer.takes) this.peer.send(length, isLast);
  }

  /** One pipe's worth past our memory; 0 where that was all for now. */
  #splice(): number {
    const { kernel, pipes } = this.relay.parts;
    const { peer, socket, throttle } = this;
    const pipe = pipes.take();
    if (pipe === undefined) return this.#copy();
    const flags = linux.SPLICE_F_MOVE | linux.SPLICE_F_NONBLOCK;
    const { NULL } = kernel.libc;
    const size = throttle === undefined ? PIPE_SIZE : Math.min(PIPE_SIZE, throttle.room);
    const count = kernel.libc.splice(socket.fd, NULL, pipe.writeEnd, NULL, size, flags);
    if (count <= 0) {
      // Read at once: giving the pipe back may call the system.
      const errno = kernel.errno[0] as number;
      pipes.give(pipe);
      if (count < 0 && CANNOT_SPLICE.includes(errno)) {
        pipes.giveUp();
        return this.#copy();
      }
      kernel.errno[0] = errno;
      this.#ranOut(count);
      return 0;
    }
    throttle?.spend(count);
    peer.sendPiped(pipe, count);
    return count;
  }

  /** There is nothing to read now: it is empty (-1 with `EAGAIN`), at its end (0), or broken. */
  #ranOut(count: number): void {
    if (count === 0) {
      this.#sawFin();
      return;
    }
    const errno = this.relay.parts.kernel.errno[0] as number;
    if (errno === linux.EAGAIN) this.socket.mayRead = false;
    else if (errno === linux.EINTR) this.#defer();
    else this.broke(systemError(errno, "read"));
  }

  #sawFin(): void {
    this.put(FINISHED, true);
    this.#finishPeer();
    if (this.deaf !== undefined) this.broke(this.deaf);
    else if (this.socket.finSent && !this.isClosed) this.#close();
  }

  #finishPeer(): void {
    this.peer.put(FIN_WANTED, true);
    this.peer.#settle();
  }

  // --- to this side ---

  /** There is room again. */
  #flush(): void {
    this.sendWaiting();
    if (this.has(BLOCKED)) return;
    this.#settle();
    this.peer.#pump();
  }

  /** FIN, or the close, once nothing waits. */
  #settle(): void {
    if (this.isClosed || this.has(BLOCKED)) return;
    if (this.has(CLOSING)) this.#close();
    else if (this.has(FIN_WANTED) && this.finished) this.#close();
    else if (this.has(FIN_WANTED) && !this.socket.finSent) {
      this.socket.finSent = true;
      this.relay.parts.kernel.libc.shutdown(this.socket.fd, linux.SHUT_WR);
    }
  }

  // --- this side's end ---

  /**
   * It takes no more bytes. `EPIPE` says that its FIN had come first: then what it had sent is whole, and is read
   * to its end before the side counts as broken.
   */
  unwritable(error: IoError): void {
    if (this.finished || error.code !== "EPIPE") {
      this.broke(error);
      return;
    }
    this.deaf = error;
    this.dropUnsent();
    this.socket.mayRead = true;
    this.#defer();
    this.peer.#defer();
  }

  /** The connection is gone. */
  broke(error: IoError | undefined): void {
    if (this.isClosed) return;
    this.#release();
    if (this.socket.fd >= 0) this.socket.close();
    this.relay.sideBroke(this, error);
  }

  #close(): void {
    this.#release();
    this.socket.close();
    this.relay.sideClosed();
  }

  /** Closes behind what waits to be sent. */
  finish(): void {
    this.put(CLOSING, true);
    this.#settle();
  }

  /** Closes now, with RST. */
  reset(): void {
    if (this.isClosed) return;
    this.#release();
    if (this.socket.fd >= 0) this.socket.closeWithReset();
  }

  /** Reads on: what comes is dropped if the peer is closed. */
  resume(): void {
    this.#defer();
  }

  #release(): void {
    this.put(CLOSED, true);
    this.dropUnsent();
  }
}
