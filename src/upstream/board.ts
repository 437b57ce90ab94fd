/**
 * What all threads know of the servers together, in memory that they share.
 *
 * Owns: its layout, its time, its locks, and the account of which worker holds how many connections, so that a worker
 * that dies takes its share with it. It must not choose a server and knows no policy: members and balancers do. Who has
 * which slot is said elsewhere (`allotments.ts`).
 *
 * Each server at work has a slot, each upstream a group. Their numbers are the same in every thread and stay theirs as
 * the configuration changes: the board grows by segments, and nothing on it ever moves.
 */

import { acquire, lockOwner, release } from "../shared_lock.ts";

/** What a thread needs to open the board; it can be sent to a worker. */
export interface BoardMemory {
  readonly segments: readonly SegmentMemory[];
  /** Milliseconds since the Unix epoch at which the board's time began. */
  readonly epoch: number;
  /** Workers; 0: one thread carries all connections, and nothing has to be locked. */
  readonly workers: number;
}

/** Numbers of groups and slots go on from one segment to the next. */
export interface SegmentMemory {
  readonly buffer: SharedArrayBuffer;
  readonly groups: number;
  readonly slots: number;
}

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

/** The words of a group. */
const GROUP = { lock: 0, waiting: 1, ticket: 2 } as const;

const SLOT_WORDS = 12;
const GROUP_WORDS = 4;
/** What a worker has for each group: connections that wait, and the oldest one's ticket. */
const LINE_WORDS = 2;

/** What a board needs of a clock. */
export interface BoardClock {
  /** Monotonic, milliseconds. */
  now(): number;
  /** Since the Unix epoch, milliseconds. */
  wallTime(): number;
}

/** Memory for so many groups and slots more. @param workers 0 where one thread carries all connections. */
export function createSegment(groups: number, slots: number, workers: number): SegmentMemory {
  const words = GROUP_WORDS * groups + SLOT_WORDS * slots + workers * (slots + LINE_WORDS * groups);
  return { buffer: new SharedArrayBuffer(4 * words), groups, slots };
}

/** A segment as a thread sees it: the numbers of its first group and slot, and where its parts begin. */
class Segment {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly firstGroup: number;
  readonly firstSlot: number;
  readonly groups: number;
  readonly slots: number;

  constructor({ buffer, groups, slots }: SegmentMemory, before: Segment | undefined) {
    this.words = new Int32Array(buffer);
    this.groups = groups;
    this.slots = slots;
    this.firstGroup = before === undefined ? 0 : before.firstGroup + before.groups;
    this.firstSlot = before === undefined ? 0 : before.firstSlot + before.slots;
  }

  groupAt(group: number): number {
    return GROUP_WORDS * (group - this.firstGroup);
  }

  slotAt(slot: number): number {
    return GROUP_WORDS * this.groups + SLOT_WORDS * (slot - this.firstSlot);
  }

  /** How many connections of a slot are the worker's. */
  countAt(worker: number, slot: number): number {
    return this.#workerAt(worker) + slot - this.firstSlot;
  }

  /** What the worker has of a group's line. */
  lineAt(worker: number, group: number): number {
    return this.#workerAt(worker) + this.slots + LINE_WORDS * (group - this.firstGroup);
  }

  #workerAt(worker: number): number {
    const own = this.slots + LINE_WORDS * this.groups;
    return GROUP_WORDS * this.groups + SLOT_WORDS * this.slots + worker * own;
  }
}

/** A slot's words, for those who look at them often. */
export interface SlotWords {
  readonly words: Int32Array;
  /** Where the slot's words begin. */
  readonly at: number;
}

export class Board {
  readonly workers: number;
  /** The worker's own number. */
  readonly worker: number;
  /** From this thread's monotonic time to the board's, ms. */
  readonly #skew: number;
  readonly #segments: Segment[] = [];

  /**
   * Opens the board in a thread.
   * @param worker the thread's number; the control plane, which carries no connection, has -1.
   */
  constructor(memory: BoardMemory, worker: number, clock: BoardClock) {
    this.workers = memory.workers;
    this.worker = worker;
    // Threads may count their monotonic time from different instants; the wall clock they share.
    this.#skew = clock.wallTime() - clock.now() - memory.epoch;
    this.extend(memory);
  }

  /** The board has grown. */
  extend({ segments }: BoardMemory): void {
    for (const memory of segments.slice(this.#segments.length)) {
      this.#segments.push(new Segment(memory, this.#segments.at(-1)));
    }
  }

  /** The board's time at `now`, this thread's monotonic ms. Never below 1. */
  tick(now: number): number {
    return Math.max(1, Math.floor((now + this.#skew) / TICK));
  }

  // --- slots ---

  slot(slot: number): SlotWords {
    const segment = this.#segmentOf(slot);
    return { words: segment.words, at: segment.slotAt(slot) };
  }

  read(slot: number, word: keyof typeof SLOT): number {
    const segment = this.#segmentOf(slot);
    return Atomics.load(segment.words, segment.slotAt(slot) + SLOT[word]);
  }

  write(slot: number, word: keyof typeof SLOT, value: number): void {
    const segment = this.#segmentOf(slot);
    Atomics.store(segment.words, segment.slotAt(slot) + SLOT[word], value);
  }

  /** What active checks have found, a `HEALTH`. A server that was down comes back slowly, where `slowStart` says so. */
  setHealth(slot: number, health: number, now: number): void {
    const { words, at } = this.slot(slot);
    const before = Atomics.exchange(words, at + SLOT.health, health);
    if (before === HEALTH.down && health !== HEALTH.down) this.write(slot, "backAt", this.tick(now));
  }

  /** Makes a slot ready for another server. Its connections must have ended: `read(slot, "active")` is 0. */
  clear(slot: number): void {
    const { words, at } = this.slot(slot);
    for (let word = 0; word < SLOT_WORDS; word++) Atomics.store(words, at + word, 0);
  }

  /** One more connection (or, with -1, one less) of this worker's. Call it under the group's lock. */
  count(slot: number, change: 1 | -1): void {
    const segment = this.#segmentOf(slot);
    Atomics.add(segment.words, segment.slotAt(slot) + SLOT.active, change);
    if (this.workers > 0) Atomics.add(segment.words, segment.countAt(this.worker, slot), change);
  }

  // --- a group's lock ---

  /** Waits until no other thread has it. */
  lock(group: number): void {
    if (this.workers === 0) return;
    const segment = this.#segmentOfGroup(group);
    acquire(segment.words, segment.groupAt(group) + GROUP.lock, lockOwner(this.worker));
  }

  unlock(group: number): void {
    if (this.workers > 0) this.#unlock(this.#segmentOfGroup(group), group, this.worker);
  }

  #unlock(segment: Segment, group: number, worker: number): void {
    release(segment.words, segment.groupAt(group) + GROUP.lock, lockOwner(worker));
  }

  // --- connections that wait ---

  /** Of all workers. */
  waiting(group: number): number {
    const segment = this.#segmentOfGroup(group);
    return Atomics.load(segment.words, segment.groupAt(group) + GROUP.waiting);
  }

  /** Counts one that begins to wait; its ticket, a number that grows, never 0. */
  enterLine(group: number): number {
    const segment = this.#segmentOfGroup(group);
    const { words } = segment;
    const at = segment.groupAt(group);
    Atomics.add(words, at + GROUP.waiting, 1);
    if (this.workers > 0) Atomics.add(words, segment.lineAt(this.worker, group), 1);
    return (Atomics.add(words, at + GROUP.ticket, 1) + 1) | 0 || 1;
  }

  leaveLine(group: number): void {
    const segment = this.#segmentOfGroup(group);
    Atomics.sub(segment.words, segment.groupAt(group) + GROUP.waiting, 1);
    if (this.workers > 0) Atomics.sub(segment.words, segment.lineAt(this.worker, group), 1);
  }

  /** Says which of this worker's tickets is the oldest; 0: none waits. */
  setOldest(group: number, ticket: number): void {
    if (this.workers === 0) return;
    const segment = this.#segmentOfGroup(group);
    Atomics.store(segment.words, segment.lineAt(this.worker, group) + 1, ticket);
  }

  /** The worker whose connection has waited longest; -1: none waits. */
  longestWaiting(group: number): number {
    const segment = this.#segmentOfGroup(group);
    let found = -1;
    let oldest = 0;
    for (let worker = 0; worker < this.workers; worker++) {
      const ticket = Atomics.load(segment.words, segment.lineAt(worker, group) + 1);
      // The difference, since tickets wrap around.
      if (ticket === 0 || (found >= 0 && ((ticket - oldest) | 0) >= 0)) continue;
      found = worker;
      oldest = ticket;
    }
    return found;
  }

  // --- the end of a worker ---

  /** Takes a dead worker's share out of every count, and opens what it had locked. For the control plane. */
  forget(worker: number): void {
    for (const segment of this.#segments) {
      const { words, firstGroup, groups, firstSlot, slots } = segment;
      for (let group = firstGroup; group < firstGroup + groups; group++) {
        this.#unlock(segment, group, worker);
        const line = segment.lineAt(worker, group);
        Atomics.sub(words, segment.groupAt(group) + GROUP.waiting, Atomics.exchange(words, line, 0));
        Atomics.store(words, line + 1, 0);
      }
      for (let slot = firstSlot; slot < firstSlot + slots; slot++) {
        const gone = Atomics.exchange(words, segment.countAt(worker, slot), 0);
        Atomics.sub(words, segment.slotAt(slot) + SLOT.active, gone);
      }
    }
  }

  // There is one segment, until reloads have brought many new servers.

  #segmentOf(slot: number): Segment {
    const first = this.#segments[0] as Segment;
    if (slot < first.slots) return first;
    return this.#segments.find(({ firstSlot, slots }) => slot < firstSlot + slots) as Segment;
  }

  #segmentOfGroup(group: number): Segment {
    const first = this.#segments[0] as Segment;
    if (group < first.groups) return first;
    return this.#segments.find(({ firstGroup, groups }) => group < firstGroup + groups) as Segment;
  }
}
