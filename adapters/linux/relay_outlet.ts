/**
 * What is on its way to one side of a relay: unsent bytes, or a pipe that is not empty.
 *
 * Owns: the sending to this side, and what the kernel did not take yet. When FIN or a close follows is its heir's,
 * `relay_side.ts`. One object with it: an idle relay keeps little.
 */

import type { IoError } from "../../src/errors.ts";
import * as linux from "./constants.ts";
import { Flags } from "./flags.ts";
import { systemError } from "./kernel.ts";
import type { Pipe } from "./pipes.ts";
import type { LinuxRelay } from "./relay.ts";
import type { LinuxSocket } from "./socket.ts";

/** Bits of `flags`; the heir has the others, from `1 << 2` on. */
export const CLOSED = 1 << 0;
/** Bytes for this side wait in `socket.unsent` or in the pipe. */
export const BLOCKED = 1 << 1;

export abstract class RelayOutlet extends Flags {
  readonly relay: LinuxRelay;
  readonly socket: LinuxSocket;
  /** Bytes that were sent to this side. */
  taken = 0;
  /** It takes no more bytes, but what it had sent is still being read. */
  protected deaf: IoError | undefined;
  #pipe: Pipe | undefined;
  #piped = 0;

  constructor(relay: LinuxRelay, socket: LinuxSocket) {
    super();
    this.relay = relay;
    this.socket = socket;
  }

  /** It takes no more bytes. */
  abstract unwritable(error: IoError): void;

  get isClosed(): boolean {
    return this.has(CLOSED);
  }

  protected get takes(): boolean {
    return !this.isClosed && this.deaf === undefined;
  }

  /** The relay's head, which goes first. */
  sendHead(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.socket.fd < 0) return;
    const { socket } = this;
    this.taken += bytes.length;
    let error: IoError | undefined;
    if (socket.unsent !== undefined) socket.keep(bytes);
    else error = socket.sendSome(bytes);
    this.put(BLOCKED, socket.unsent !== undefined);
    if (error !== undefined) this.unwritable(error);
  }

  /**
   * Sends the first bytes of `inbound`, and keeps what the kernel does not take.
   * @param isLast FIN follows at once, and shares a packet with the last of them.
   */
  protected send(length: number, isLast: boolean): void {
    const { kernel } = this.relay.parts;
    const { fd } = this.socket;
    this.socket.sending();
    const count = isLast
      ? kernel.libc.send(fd, kernel.inbound.address, length, linux.MSG_MORE | linux.MSG_NOSIGNAL)
      : kernel.libc.write(fd, kernel.inbound.address, length);
    if (count === length) {
      this.taken += length;
      return;
    }
    const sent = Math.max(count, 0);
    if (count < 0 && kernel.errno[0] !== linux.EAGAIN) {
      this.unwritable(systemError(kernel.errno[0] as number, "write"));
      return;
    }
    this.taken += length;
    this.put(BLOCKED, true);
    this.socket.keep(kernel.inbound.bytes.slice(sent, length));
  }

  /** Sends what was put into a pipe, and keeps the pipe while there are bytes in it. */
  protected sendPiped(pipe: Pipe, length: number): void {
    this.#pipe = pipe;
    this.#piped = length;
    this.drain(pipe);
  }

  /** Sends from the pipe what the kernel takes. Not `#drain`: that would cost each side a field. */
  protected drain(pipe: Pipe): void {
    const { kernel } = this.relay.parts;
    const { NULL } = kernel.libc;
    const flags = linux.SPLICE_F_MOVE | linux.SPLICE_F_NONBLOCK;
    while (this.#piped > 0) {
      this.socket.sending();
      const count = kernel.libc.splice(pipe.readEnd, NULL, this.socket.fd, NULL, this.#piped, flags);
      if (count <= 0) {
        const errno = kernel.errno[0] as number;
        if (count < 0 && errno !== linux.EAGAIN) {
          this.unwritable(systemError(errno, "splice"));
          return;
        }
        this.put(BLOCKED, true);
        this.socket.wantRoom();
        return;
      }
      this.#piped -= count;
      this.taken += count;
    }
    this.put(BLOCKED, false);
    this.#pipe = undefined;
    this.relay.parts.pipes.give(pipe);
  }

  /** Sends what waits, as far as there is room. */
  protected sendWaiting(): void {
    const { socket } = this;
    if (this.#pipe !== undefined) {
      this.drain(this.#pipe);
      return;
    }
    const error = socket.flush();
    if (error !== undefined) this.unwritable(error);
    else this.put(BLOCKED, socket.unsent !== undefined);
  }

  protected dropUnsent(): void {
    this.put(BLOCKED, false);
    this.socket.unsent = undefined;
    const pipe = this.#pipe;
    if (pipe === undefined) return;
    this.#pipe = undefined;
    if (this.#piped > 0) this.relay.parts.pipes.discard(pipe);
    else this.relay.parts.pipes.give(pipe);
    this.#piped = 0;
  }
}
