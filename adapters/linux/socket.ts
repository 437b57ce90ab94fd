/**
 * The contract's `Socket` on a descriptor.
 *
 * Owns: one descriptor, what could not be sent to it yet, and one answer for each `read`. It reads only when it is
 * asked. Once a relay has it, the relay's side gets its events, and this is the descriptor with its unsent bytes.
 */

import type { Socket, SocketHandlers } from "../../src/adapter.ts";
import type { Endpoint } from "../../src/address.ts";
import type { IoError } from "../../src/errors.ts";
import { unixEndpoint } from "../shared/endpoint.ts";
import * as linux from "./constants.ts";
import { Flags } from "./flags.ts";
import type { Young } from "./grace.ts";
import { systemError } from "./kernel.ts";
import type { Deferred, Watcher } from "./loop.ts";
import type { EngineParts } from "./parts.ts";

/** Until the owner sets its own. */
const NO_HANDLERS: SocketHandlers = { received() {}, ended() {}, closed() {} };
/** What one `read` takes at most: a first message is a few hundred bytes, and what the kernel keeps costs us nothing. */
const READ_SIZE = 16 * 1024;

/** Sends until `TCP_NODELAY` is set on an outgoing socket: its first bytes leave at once without it (RFC 9293 §3.7.4). */
const FRESH = 2;
const SETTLED = 0;

/** Events of a socket that has nothing unsent. Asking for room to send from the start would wake the loop for nothing. */
export const INTEREST = linux.EPOLLIN | linux.EPOLLRDHUP | linux.EPOLLPRI | linux.EPOLLET;
export const INTEREST_OUT = INTEREST | linux.EPOLLOUT;

/** Events that say that more than bytes may be waiting. */
const BEHIND = linux.EPOLLRDHUP | linux.EPOLLERR | linux.EPOLLHUP | linux.EPOLLPRI;

/** Bits of a socket's `flags`. */
const MAY_READ = 1 << 0;
const FIN_QUEUED = 1 << 1;
const MORE_QUEUED = 1 << 2;
const FIN_SEEN = 1 << 3;
const FIN_SENT = 1 << 4;
const ASKED = 1 << 5;
const FIN_WANTED = 1 << 6;
const QUEUED = 1 << 7;
const CLOSED_TOLD = 1 << 8;

/** What becomes of a socket that was given to a relay, when its former owner closes it. */
export interface RelayedSocket extends Watcher {
  broke(error: IoError | undefined): void;
}

export class LinuxSocket extends Flags implements Socket, Watcher, Deferred, Young {
  readonly parts: EngineParts;
  readonly remote: Endpoint;
  handlers: SocketHandlers = NO_HANDLERS;
  /** -1 once it is closed. */
  fd: number;
  generation = 0;
  unsent: Uint8Array[] | undefined;
  elder: Young | undefined;
  younger: Young | undefined;
  born = 0;
  /** Epoll's interest; 0 before it is watched. */
  #interest: number;
  #local: Endpoint | undefined;
  #options: number;
  #error: IoError | undefined;
  #side: RelayedSocket | undefined;

  /** @param interest What the descriptor is watched for already; 0 for a client that was just accepted. */
  constructor(parts: EngineParts, fd: number, remote: Endpoint, local: Endpoint | undefined, interest: number) {
    super();
    this.parts = parts;
    this.fd = fd;
    this.remote = remote;
    this.#local = local;
    this.#interest = interest;
    const outgoing = interest !== 0;
    this.mayRead = !outgoing;
    this.#options = outgoing && remote.kind === "tcp" ? FRESH : SETTLED;
    if (this.#options === FRESH) parts.grace.add(this);
  }

  get local(): Endpoint {
    this.#local ??= this.fd < 0 ? undefined : this.parts.kernel.localEndpoint(this.fd);
    return this.#local ?? unixEndpoint(undefined);
  }

  /** Short reads say that the kernel has no more, except where descriptors may be passed between the bytes. */
  get isStream(): boolean {
    return this.remote.kind === "tcp";
  }

  // --- yes and no ---

  /** Bytes or FIN may be waiting in the kernel. */
  get mayRead(): boolean {
    return this.has(MAY_READ);
  }

  set mayRead(value: boolean) {
    this.put(MAY_READ, value);
  }

  /** FIN is behind the bytes that wait, and nothing else. */
  get finQueued(): boolean {
    return this.has(FIN_QUEUED);
  }

  set finQueued(value: boolean) {
    this.put(FIN_QUEUED, value);
  }

  /** Something may be behind the bytes that wait: a read that got less than it asked for has not seen all. */
  get moreQueued(): boolean {
    return this.has(MORE_QUEUED);
  }

  set moreQueued(value: boolean) {
    this.put(MORE_QUEUED, value);
  }

  /** The peer's FIN was read. */
  get finSeen(): boolean {
    return this.has(FIN_SEEN);
  }

  set finSeen(value: boolean) {
    this.put(FIN_SEEN, value);
  }

  get finSent(): boolean {
    return this.has(FIN_SENT);
  }

  set finSent(value: boolean) {
    this.put(FIN_SENT, value);
  }

  // --- the contract ---

  read(): void {
    if (this.has(ASKED) || this.fd < 0 || this.#side !== undefined) return;
    this.put(ASKED, true);
    if (this.mayRead) this.#defer();
  }

  write(bytes: Uint8Array): void {
    if (this.fd < 0 || this.has(FIN_WANTED) || bytes.length === 0) return;
    if (this.unsent !== undefined) this.unsent.push(bytes.slice());
    else this.#failed(this.sendSome(bytes));
  }

  end(): void {
    if (this.fd < 0 || this.has(FIN_WANTED)) return;
    this.put(FIN_WANTED, true);
    if (this.unsent === undefined) this.#sendFin();
  }

  reset(): void {
    if (this.#side !== undefined) this.#side.broke(undefined);
    else if (this.fd >= 0) {
      this.closeWithReset();
      this.#defer();
    }
  }

  destroy(): void {
    if (this.#side !== undefined) this.#side.broke(undefined);
    else if (this.fd >= 0) {
      this.close();
      this.#defer();
    }
  }

  // --- events ---

  ready(events: number): void {
    this.noteEvents(events);
    if (this.unsent !== undefined && (events & (linux.EPOLLOUT | linux.EPOLLERR | linux.EPOLLHUP)) !== 0) {
      this.#failed(this.flush());
      if (this.unsent === undefined && this.has(FIN_WANTED) && this.fd >= 0) this.#sendFin();
    }
    this.#answer();
    if ((events & linux.EPOLLERR) !== 0 && this.fd >= 0 && this.#side === undefined) this.#checkError();
  }

  noteEvents(events: number): void {
    if ((events & (linux.EPOLLIN | BEHIND)) !== 0) this.mayRead = true;
    // Urgent data hides what is behind it, and an RST is no FIN: then only reading tells.
    this.moreQueued = (events & BEHIND) !== 0;
    this.finQueued = (events & BEHIND) === linux.EPOLLRDHUP;
  }

  #checkError(): void {
    const errno = this.parts.kernel.takeError(this.fd);
    if (errno !== 0) this.#failed(systemError(errno, "read"));
  }

  /** Watches it, if it is open and not watched yet. */
  watch(): void {
    if (this.#interest !== 0 || this.fd < 0) return;
    this.#interest = INTEREST;
    const { loop, kernel } = this.parts;
    if (!loop.add(this.#side ?? this, this.fd, INTEREST)) {
      this.#failed(systemError(kernel.errno[0] as number, "epoll_ctl"));
    }
  }

  /** A client was accepted: its first bytes, if they are here already, come before epoll is asked for more. */
  begin(): void {
    if (this.fd < 0 || this.#side !== undefined) return;
    if (this.has(ASKED)) this.#defer();
    else this.watch();
  }

  runDeferred(): void {
    this.put(QUEUED, false);
    if (this.#side !== undefined) return;
    this.#answer();
    if (this.fd >= 0) this.watch();
    else this.#tellClosed();
  }

  faulted(): void {
    this.destroy();
  }

  #defer(): void {
    if (this.has(QUEUED)) return;
    this.put(QUEUED, true);
    this.parts.loop.soon(this);
  }

  #answer(): void {
    if (!this.has(ASKED) || !this.mayRead || this.finSeen || this.fd < 0) return;
    const { kernel } = this.parts;
    const count = kernel.libc.read(this.fd, kernel.inbound.address, READ_SIZE);
    if (count > 0) {
      this.put(ASKED, false);
      if (count < READ_SIZE && this.isStream && !this.moreQueued) this.mayRead = false;
      this.handlers.received(kernel.inbound.bytes.subarray(0, count));
    } else if (count === 0) {
      this.put(ASKED, false);
      this.finSeen = true;
      this.handlers.ended();
      if (this.finSent) this.destroy();
    } else {
      const errno = kernel.errno[0] as number;
      if (errno === linux.EAGAIN) this.mayRead = false;
      else if (errno === linux.EINTR) this.#defer();
      else this.#failed(systemError(errno, "read"));
    }
  }

  #failed(error: IoError | undefined): void {
    if (error === undefined || this.fd < 0) return;
    this.#error = error;
    this.destroy();
  }

  #tellClosed(): void {
    if (this.has(CLOSED_TOLD)) return;
    this.put(CLOSED_TOLD, true);
    this.handlers.closed(this.#error);
  }

  #sendFin(): void {
    if (this.finSeen) {
      this.destroy();
      return;
    }
    this.finSent = true;
    this.parts.kernel.libc.shutdown(this.fd, linux.SHUT_WR);
  }

  // --- the descriptor, for whoever owns the socket ---

  /** A relay owns it from now on, and no handler is called any more. */
  handOver(side: RelayedSocket): void {
    this.#side = side;
    this.put(ASKED, false);
    if (this.fd >= 0 && this.#interest !== 0) this.parts.loop.hand(this.fd, side);
  }

  get handedOver(): boolean {
    return this.#side !== undefined;
  }

  /** To be called before each send. */
  sending(): void {
    if (this.#options === SETTLED) return;
    this.#options--;
    if (this.#options === SETTLED) this.parts.kernel.setOption(this.fd, linux.IPPROTO_TCP, linux.TCP_NODELAY, 1);
  }

  /** Sends what the kernel takes of `bytes` and keeps a copy of the rest. Returns why it failed. */
  sendSome(bytes: Uint8Array): IoError | undefined {
    let left = bytes;
    while (left.length > 0) {
      this.sending();
      const count = this.parts.kernel.send(this.fd, left);
      if (count < 0) {
        const errno = this.parts.kernel.errno[0] as number;
        if (errno !== linux.EAGAIN) return systemError(errno, "write");
        this.keep(left.slice());
        return undefined;
      }
      if (count === left.length) return undefined;
      left = left.subarray(count);
    }
    return undefined;
  }

  /** Keeps bytes, uncopied, until the kernel has room. */
  keep(bytes: Uint8Array): void {
    this.unsent ??= [];
    this.unsent.push(bytes);
    this.wantRoom();
  }

  /** Asks for an event when the kernel has room again. Once asked for, they come for as long as the socket lives. */
  wantRoom(): void {
    if ((this.#interest & linux.EPOLLOUT) !== 0) return;
    const watched = this.#interest !== 0;
    this.#interest = INTEREST_OUT;
    const { loop } = this.parts;
    if (watched) loop.modify(this.fd, INTEREST_OUT);
    else loop.add(this.#side ?? this, this.fd, INTEREST_OUT);
  }

  /** Sends what was kept, as far as the kernel takes it. Returns why it failed. */
  flush(): IoError | undefined {
    const { kernel } = this.parts;
    while (this.unsent !== undefined) {
      const bytes = this.unsent[0] as Uint8Array;
      this.sending();
      const count = kernel.send(this.fd, bytes);
      if (count < 0) {
        const errno = kernel.errno[0] as number;
        return errno === linux.EAGAIN ? undefined : systemError(errno, "write");
      }
      if (count < bytes.length) this.unsent[0] = bytes.subarray(count);
      else if (this.unsent.length === 1) this.unsent = undefined;
      else this.unsent.shift();
    }
    return undefined;
  }

  /** Closes the descriptor. Tells nobody. */
  close(): void {
    const { fd } = this;
    this.#leave();
    this.parts.kernel.libc.close(fd);
  }

  closeWithReset(): void {
    const { fd } = this;
    this.#leave();
    if (this.remote.kind === "tcp") this.parts.kernel.reset(fd);
    else this.parts.kernel.libc.close(fd);
  }

  #leave(): void {
    // The rest of what the session knows of it can still be asked for.
    this.#local ??= unixEndpoint(undefined);
    this.parts.loop.forget(this.fd);
    this.parts.grace.remove(this);
    this.fd = -1;
    this.unsent = undefined;
  }
}
