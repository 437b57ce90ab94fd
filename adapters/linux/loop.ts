/**
 * One thread's event loop over `epoll`.
 *
 * Owns: who watches which descriptor, what is to be done soon, and the timers. It must not know what a descriptor is
 * for. A fault in what it calls ends that watcher only.
 */

import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, O_CLOEXEC } from "./constants.ts";
import type { Address, Libc, NativeBuffer } from "./ffi.ts";
import { type Kernel, words } from "./kernel.ts";
import { type EventLayout, eventLayout } from "./layout.ts";
import { Timers } from "./timers.ts";

/** Whoever is called for events of one descriptor. */
export interface Watcher {
  /** Tells the registrations of one descriptor number apart. Set by the loop. */
  generation: number;
  ready(events: number): void;
  /** `ready` threw. */
  faulted(): void;
}

/** Whoever is called once, soon. */
export interface Deferred {
  runDeferred(): void;
  /** `runDeferred` threw. */
  faulted(): void;
}

/** Events taken by one `epoll_wait`. */
const BATCH = 512;
/** Events after which the time is read again. */
const CLOCK_EVERY = 16;
/** Rounds of deferred calls before events are looked at again. */
const ROUNDS = 16;
/** Milliseconds; a longer sleep is cut in pieces. A thread cannot be ended while it sleeps, and a wake can come too early. */
const LONGEST_SLEEP = 1_000;

export class Loop {
  readonly kernel: Kernel;
  readonly timers: Timers;
  /** Counts `poll`s. */
  round = 0;
  /** Descriptors watched. */
  watched = 0;
  /** Called when something is to be done that `poll` does not know of while it sleeps, or is not called. */
  nudged: () => void = () => {};
  readonly #libc: Libc;
  readonly #layout: EventLayout;
  readonly #fault: (error: unknown) => void;
  readonly #epoll: number;
  readonly #events: NativeBuffer;
  readonly #eventWords: Int32Array;
  readonly #change: Address;
  readonly #changeWords: Int32Array;
  readonly #watchers: (Watcher | undefined)[] = [];
  #generation = 0;
  #soon: Deferred[] = [];
  #spare: Deferred[] = [];
  #later: Deferred[] = [];
  #polling = false;

  /** @throws {Error} where the system has no epoll instance left. */
  constructor(kernel: Kernel, fault: (error: unknown) => void) {
    this.kernel = kernel;
    this.#libc = kernel.libc;
    this.#fault = fault;
    this.#layout = eventLayout(kernel.libc.arch);
    this.#events = kernel.libc.allocate(BATCH * this.#layout.words * 4);
    this.#eventWords = words(this.#events);
    const change = kernel.libc.allocate(16);
    this.#change = change.address;
    this.#changeWords = words(change);
    this.timers = new Timers(() => this.#nudge());
    this.#epoll = kernel.libc.epoll_create1(O_CLOEXEC);
    if (this.#epoll < 0) throw new Error(`Cannot open an epoll instance: errno ${kernel.errno[0]}`);
  }

  /** Watches `fd` from now on, until it is forgotten. False where the system refuses. */
  add(watcher: Watcher, fd: number, interest: number): boolean {
    this.#generation = (this.#generation + 1) | 0;
    watcher.generation = this.#generation;
    if (this.#control(EPOLL_CTL_ADD, fd, interest, watcher.generation) < 0) return false;
    this.#watchers[fd] = watcher;
    this.watched++;
    if (!this.#polling) this.#nudge();
    return true;
  }

  modify(fd: number, interest: number): void {
    const watcher = this.#watchers[fd];
    if (watcher !== undefined) this.#control(EPOLL_CTL_MOD, fd, interest, watcher.generation);
  }

  #control(operation: number, fd: number, interest: number, generation: number): number {
    this.#changeWords[0] = interest;
    this.#changeWords[this.#layout.data] = fd;
    this.#changeWords[this.#layout.data + 1] = generation;
    return this.#libc.epoll_ctl(this.#epoll, operation, fd, this.#change);
  }

  /** Another takes over the events of `fd`. */
  hand(fd: number, watcher: Watcher): void {
    watcher.generation = (this.#watchers[fd] as Watcher).generation;
    this.#watchers[fd] = watcher;
  }

  /** Of a descriptor that is being closed: the kernel forgets it by itself. */
  forget(fd: number): void {
    if (this.#watchers[fd] === undefined) return;
    this.#watchers[fd] = undefined;
    this.watched--;
  }

  /** Of a descriptor whose socket others may hold as well: the kernel would go on to tell us of it. */
  remove(fd: number): void {
    const watcher = this.#watchers[fd];
    if (watcher !== undefined) this.#control(EPOLL_CTL_DEL, fd, 0, watcher.generation);
    this.forget(fd);
  }

  /** Calls `deferred` once, after what runs now and before the loop sleeps. */
  soon(deferred: Deferred): void {
    this.#soon.push(deferred);
    if (!this.#polling) this.#nudge();
  }

  /** As `soon`, but the events of others come first. */
  later(deferred: Deferred): void {
    this.#later.push(deferred);
    if (!this.#polling) this.#nudge();
  }

  /** Something is to be done without waiting for an event. */
  get pending(): boolean {
    return this.#soon.length > 0 || this.#later.length > 0;
  }

  #nudge(): void {
    this.nudged();
  }

  /**
   * Waits for events, up to `timeout` ms (-1: without limit) or the next timer, and does what they ask for.
   * Returns 0 where there was nothing to do but timers.
   */
  poll(timeout: number): number {
    this.#polling = true;
    this.round = (this.round + 1) | 0;
    const count = this.#libc.epoll_wait(this.#epoll, this.#events.address, BATCH, this.#sleep(timeout));
    this.timers.freeze();
    for (let i = 0; i < count; i++) {
      if (i % CLOCK_EVERY === CLOCK_EVERY - 1) this.timers.freeze();
      this.#dispatch(i * this.#layout.words);
    }
    if (this.timers.size > 0) this.#runTimers();
    const idle = count <= 0 && !this.pending;
    if (this.#later.length > 0) this.#runLater();
    for (let i = 0; i < ROUNDS && this.#soon.length > 0; i++) this.#runSoon();
    this.#polling = false;
    this.timers.thaw();
    return idle ? 0 : 1;
  }

  #sleep(timeout: number): number {
    if (timeout === 0 || this.pending) return 0;
    let sleep = timeout < 0 ? LONGEST_SLEEP : Math.min(timeout, LONGEST_SLEEP);
    if (this.timers.size > 0) sleep = Math.min(sleep, Math.max(0, Math.ceil(this.timers.next - this.timers.now())));
    return sleep;
  }

  #dispatch(at: number): void {
    const { data } = this.#layout;
    const watcher = this.#watchers[this.#eventWords[at + data] as number];
    // Its descriptor was closed a moment ago; the number may be somebody else's by now.
    if (watcher === undefined || watcher.generation !== this.#eventWords[at + data + 1]) return;
    try {
      watcher.ready(this.#eventWords[at] as number);
    } catch (error) {
      this.#faulted(watcher, error);
    }
  }

  #runTimers(): void {
    const now = this.timers.now();
    for (let task = this.timers.takeDue(now); task !== undefined; task = this.timers.takeDue(now)) {
      try {
        task();
      } catch (error) {
        this.report(error);
      }
    }
  }

  #runSoon(): void {
    const batch = this.#soon;
    this.#soon = this.#spare;
    this.#runAll(batch);
    this.#spare = batch;
  }

  #runLater(): void {
    const batch = this.#later;
    this.#later = [];
    this.#runAll(batch);
  }

  #runAll(batch: Deferred[]): void {
    for (let i = 0; i < batch.length; i++) {
      const deferred = batch[i] as Deferred;
      try {
        deferred.runDeferred();
      } catch (error) {
        this.#faulted(deferred, error);
      }
    }
    batch.length = 0;
  }

  #faulted(who: Pick<Watcher, "faulted">, error: unknown): void {
    this.report(error);
    try {
      who.faulted();
    } catch (second) {
      this.report(second);
    }
  }

  /** Tells of a fault in a handler. */
  report(error: unknown): void {
    try {
      this.#fault(error);
    } catch {
      // Whoever is told of faults must not be the next one.
    }
  }

  /** Closes every descriptor that is watched, and the loop's own. */
  close(): void {
    this.#watchers.forEach((watcher, fd) => {
      if (watcher !== undefined) this.#libc.close(fd);
    });
    this.#watchers.length = 0;
    this.watched = 0;
    this.#libc.close(this.#epoll);
  }
}
