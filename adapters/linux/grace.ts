/**
 * Keepalive for outgoing sockets, set only once they have lived for a while.
 *
 * Owns: the list of young sockets. A connection that is over within seconds is spared the system calls, and one that
 * lasts has its options long before the first probe is due. (Accepted sockets inherit theirs from the listener.)
 */

import { KEEPALIVE_IDLE } from "../shared/stream.ts";
import { IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_KEEPIDLE } from "./constants.ts";
import type { Kernel } from "./kernel.ts";
import type { Timers } from "./timers.ts";

/** Milliseconds. */
const GRACE = 20_000;

/** A member of the list. */
export interface Young {
  readonly fd: number;
  elder: Young | undefined;
  younger: Young | undefined;
  /** Clock time at which it came; 0 while it is not in the list. */
  born: number;
}

/** Sets keepalive on a socket, or on a listener for all that it accepts. */
export function setKeepalive(kernel: Kernel, fd: number): void {
  kernel.setOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  kernel.setOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE / 1000);
}

export class Grace {
  readonly #kernel: Kernel;
  readonly #timers: Timers;
  #eldest: Young | undefined;
  #youngest: Young | undefined;
  #cancel: (() => void) | undefined;

  constructor(kernel: Kernel, timers: Timers) {
    this.#kernel = kernel;
    this.#timers = timers;
  }

  add(socket: Young): void {
    socket.born = this.#timers.now();
    socket.elder = this.#youngest;
    if (this.#youngest === undefined) this.#eldest = socket;
    else this.#youngest.younger = socket;
    this.#youngest = socket;
    this.#cancel ??= this.#timers.after(GRACE, () => this.#sweep());
  }

  remove(socket: Young): void {
    if (socket.born === 0) return;
    socket.born = 0;
    if (socket.elder === undefined) this.#eldest = socket.younger;
    else socket.elder.younger = socket.younger;
    if (socket.younger === undefined) this.#youngest = socket.elder;
    else socket.younger.elder = socket.elder;
    socket.elder = undefined;
    socket.younger = undefined;
    if (this.#eldest === undefined) this.stop();
  }

  #sweep(): void {
    this.#cancel = undefined;
    const now = this.#timers.now();
    for (let socket = this.#eldest; socket !== undefined && now - socket.born >= GRACE; socket = this.#eldest) {
      setKeepalive(this.#kernel, socket.fd);
      this.remove(socket);
    }
    if (this.#eldest !== undefined) {
      this.#cancel ??= this.#timers.after(this.#eldest.born + GRACE - now, () => this.#sweep());
    }
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
