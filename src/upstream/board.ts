/**
 * What all threads know of the servers together: one piece of shared memory for the whole program.
 *
 * Owns: its layout, its time, its locks, and the account of which worker holds how many connections, so that a worker
 * that dies takes its share with it. It must not choose a server and knows no policy: members and balancers do.
 *
 * Each server at work has a slot: those of the configuration first, then some for servers that come and go by DNS. A
 * slot's number is the same in every thread.
 */

import type { UpstreamConfig } from "../config/config.ts";

/** What a thread needs to open the board; it can be sent to a worker. */
export interface BoardMemory {
  readonly buffer: SharedArrayBuffer;
  /** Milliseconds since the Unix epoch at which the board's time began. */
  readonly epoch: number;
  /** Slots of each upstream, in the configuration's order. */
  readonly slots: readonly number[];
  /** Workers; 0: one thread carries all connections, and nothing has to be locked. */
  readonly workers: number;
}

/** Slots of each upstream for servers that are not in the configuration by themselves. */
export const SPARE_SLOTS = 32;

/** Milliseconds of one tick, the board's unit of time: 32 bits of them last for six years. */
export const TICK = 100;

/** The words of a slot. */
export const SLOT = {
  /** Connections, those that are being dialled included. */
  active: 0,
  /** Failures in a row that count. */
  fails: 1,
  /** Tick of the last failure. */
  failedAt: 2,
  /** Tick of the last failure, or of the last try after `failTimeout`. */
  checkedAt: 3,
  /** Smooth weighted round robin's two numbers, scaled by `WEIGHT_UNIT`. */
  currentWeight: 4,
  /** How much of the weight failures have taken. */
  lostWeight: 5,
  /** What active checks say: a `HEALTH`. */
  health: 6,
  /** Not 0: taken out by an operator. */
  disabled: 7,
  /** Tick at which it was taken into service again; 0: it never was out. */
  backAt: 8,
} as const;

export const HEALTH = { unknown: 0, up: 1, down: 2 } as const;

/** Weights on the board are whole numbers: one of the configuration is so many. */
export const WEIGHT_UNIT = 100;

/** The words of an upstream. */
const GROUP = { lock: 0, waiting: 1, ticket: 2 } as const;

const SLOT_WORDS = 12;
const GROUP_WORDS = 4;
/** What a worker has for each upstream: connections that wait, and the oldest one's ticket. */
const LINE_WORDS = 2;

/** Looks at a lock before the thread sleeps; milliseconds that it sleeps for; how often, until the lock counts as forgotten. */
const SPINS = 100;
const NAP = 1;
const NAPS = 200;

/** What a board needs of a clock. */
export interface BoardClock {
  /** Monotonic, milliseconds. */
  now(): number;
  /** Since the Unix epoch, milliseconds. */
  wallTime(): number;
}

/** Makes the memory, once for the program. @param workers 0 where one thread carries all connections. */
export function createBoardMemory(
  upstreams: Iterable<UpstreamConfig>,
  workers: number,
  clock: BoardClock,
): BoardMemory {
  const slots = [...upstreams].map(({ servers }) => servers.length + SPARE_SLOTS);
  const count = slots.reduce((sum, some) => sum + some, 0);
  const words = GROUP_WORDS * slots.length + SLOT_WORDS * count + workers * (count + LINE_WORDS * slots.length);
  return { buffer: new SharedArrayBuffer(4 * Math.max(1, words)), epoch: clock.wallTime(), slots, workers };
}

export class Board {
  readonly memory: BoardMemory;
  /** Everything; a slot's words begin at `slotAt`. */
  readonly words: Int32Array<SharedArrayBuffer>;
  /** The worker's own number. */
  readonly #worker: number;
  /** From this thread's monotonic time to the board's, ms. */
  readonly #skew: number;
  readonly #slotBase: number;
  readonly #slotCount: number;
  readonly #workerBase: number;

  /**
   * Opens the board in a thread.
   * @param worker the thread's number; the control plane, which carries no connection, has -1.
   */
  constructor(memory: BoardMemory, worker: number, clock: BoardClock) {
    this.memory = memory;
    this.words = new Int32Array(memory.buffer);
    this.#worker = worker;
    // Threads may count their monotonic time from different instants; the wall clock they share.
    this.#skew = clock.wallTime() - clock.now() - memory.epoch;
    this.#slotBase = GROUP_WORDS * memory.slots.length;
    this.#slotCount = memory.slots.reduce((sum, some) => sum + some, 0);
    this.#workerBase = this.#slotBase + SLOT_WORDS * this.#slotCount;
  }

  /** The board's time at `now`, this thread's monotonic ms. Never below 1. */
  tick(now: number): number {
    return Math.max(1, Math.floor((now + this.#skew) / TICK));
  }

  // --- slots ---

  /** The first slot of an upstream, by its place in the configuration. */
  firstSlot(upstream: number): number {
    return this.memory.slots.slice(0, upstream).reduce((sum, some) => sum + some, 0);
  }

  slotsOf(upstream: number): number {
    return this.memory.slots[upstream] ?? 0;
  }

  /** Where a slot's words begin in `words`. */
  slotAt(slot: number): number {
    return this.#slotBase + SLOT_WORDS * slot;
  }

  read(slot: number, word: keyof typeof SLOT): number {
    return Atomics.load(this.words, this.slotAt(slot) + SLOT[word]);
  }

  write(slot: number, word: keyof typeof SLOT, value: number): void {
    Atomics.store(this.words, this.slotAt(slot) + SLOT[word], value);
  }

  /** What active checks have found, a `HEALTH`. A server that was down comes back slowly, where `slowStart` says so. */
  setHealth(slot: number, health: number, now: number): void {
    const before = Atomics.exchange(this.words, this.slotAt(slot) + SLOT.health, health);
    if (before === HEALTH.down && health !== HEALTH.down) this.write(slot, "backAt", this.tick(now));
  }

  /** Makes a slot ready for another server. Its connections must have ended: `read(slot, "active")` is 0. */
  clear(slot: number): void {
    const at = this.slotAt(slot);
    for (let word = 0; word < SLOT_WORDS; word++) Atomics.store(this.words, at + word, 0);
  }

  /** One more connection (or, with -1, one less) of this worker's. Call it under the upstream's lock. */
  count(slot: number, change: 1 | -1): void {
    Atomics.add(this.words, this.slotAt(slot) + SLOT.active, change);
    if (this.memory.workers > 0) Atomics.add(this.words, this.#workerAt(this.#worker) + slot, change);
  }

  // --- an upstream's lock ---

  /** Waits until no other thread has it. */
  lock(upstream: number): void {
    if (this.memory.workers === 0) return;
    const at = GROUP_WORDS * upstream + GROUP.lock;
    const mine = this.#worker + 2;
    for (let tries = 0; Atomics.compareExchange(this.words, at, 0, mine) !== 0; tries++) {
      if (tries < SPINS) continue;
      if (tries > SPINS + NAPS) {
        // No thread keeps it for long: its holder was ended in between.
        Atomics.store(this.words, at, mine);
        return;
      }
      const holder = Atomics.load(this.words, at);
      if (holder !== 0) Atomics.wait(this.words, at, holder, NAP);
    }
  }

  unlock(upstream: number): void {
    if (this.memory.workers === 0) return;
    Atomics.compareExchange(this.words, GROUP_WORDS * upstream + GROUP.lock, this.#worker + 2, 0);
  }

  // --- connections that wait ---

  /** Of all workers. */
  waiting(upstream: number): number {
    return Atomics.load(this.words, GROUP_WORDS * upstream + GROUP.waiting);
  }

  /** Counts one that begins to wait; its ticket, a number that grows, never 0. */
  enterLine(upstream: number): number {
    const at = GROUP_WORDS * upstream;
    Atomics.add(this.words, at + GROUP.waiting, 1);
    if (this.memory.workers > 0) Atomics.add(this.words, this.#lineAt(this.#worker, upstream), 1);
    return (Atomics.add(this.words, at + GROUP.ticket, 1) + 1) | 0 || 1;
  }

  leaveLine(upstream: number): void {
    Atomics.sub(this.words, GROUP_WORDS * upstream + GROUP.waiting, 1);
    if (this.memory.workers > 0) Atomics.sub(this.words, this.#lineAt(this.#worker, upstream), 1);
  }

  /** Says which of this worker's tickets is the oldest; 0: none waits. */
  setOldest(upstream: number, ticket: number): void {
    if (this.memory.workers > 0) Atomics.store(this.words, this.#lineAt(this.#worker, upstream) + 1, ticket);
  }

  /** The worker whose connection has waited longest; -1: none waits. */
  longestWaiting(upstream: number): number {
    let found = -1;
    let oldest = 0;
    for (let worker = 0; worker < this.memory.workers; worker++) {
      const ticket = Atomics.load(this.words, this.#lineAt(worker, upstream) + 1);
      // The difference, since tickets wrap around.
      if (ticket === 0 || (found >= 0 && ((ticket - oldest) | 0) >= 0)) continue;
      found = worker;
      oldest = ticket;
    }
    return found;
  }

  get worker(): number {
    return this.#worker;
  }

  // --- the end of a worker ---

  /** Takes a dead worker's share out of every count, and opens what it had locked. For the control plane. */
  forget(worker: number): void {
    const { slots } = this.memory;
    const counts = this.#workerAt(worker);
    let slot = 0;
    for (const [upstream, some] of slots.entries()) {
      Atomics.compareExchange(this.words, GROUP_WORDS * upstream + GROUP.lock, worker + 2, 0);
      this.lock(upstream);
      for (const end = slot + some; slot < end; slot++) {
        Atomics.sub(this.words, this.slotAt(slot) + SLOT.active, Atomics.exchange(this.words, counts + slot, 0));
      }
      const line = this.#lineAt(worker, upstream);
      Atomics.sub(this.words, GROUP_WORDS * upstream + GROUP.waiting, Atomics.exchange(this.words, line, 0));
      Atomics.store(this.words, line + 1, 0);
      this.unlock(upstream);
    }
  }

  #workerAt(worker: number): number {
    return this.#workerBase + worker * (this.#slotCount + LINE_WORDS * this.memory.slots.length);
  }

  #lineAt(worker: number, upstream: number): number {
    return this.#workerAt(worker) + this.#slotCount + LINE_WORDS * upstream;
  }
}
