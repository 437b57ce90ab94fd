/**
 * What each upstream has of the board: its group, and a slot for each server.
 *
 * Owns: that a server keeps its slot, and with it its connections, failures and health, as long as configurations name
 * it; and that nobody else gets a slot before its last connection has ended. For the thread that holds the configuration.
 */

import type { ServerConfig, UpstreamConfig } from "../config/config.ts";
import { Board, type BoardClock, type BoardMemory, createSegment, type SegmentMemory } from "./board.ts";

/** What one upstream has; it can be sent to a worker. */
export interface Allotment {
  readonly group: number;
  /** The slot of each configured server, in their order. */
  readonly servers: readonly number[];
  /** Slots for servers that come and go by DNS; empty where none do. */
  readonly spare: readonly number[];
}

/** Of all upstreams, by name. */
export type AllotmentMap = ReadonlyMap<string, Allotment>;

/** A thread's board, and what each upstream has of it. */
export interface OpenBoard {
  readonly board: Board;
  readonly allotments: AllotmentMap;
}

/** Slots of an upstream for servers that DNS names, beyond the configured ones. */
export const SPARE_SLOTS = 32;

/** Groups and slots beyond what is needed, for what reloads bring. */
const MORE_GROUPS = 16;
const MORE_SLOTS = 64;

/** An allotment, and whose the slots are. */
interface Holding extends Allotment {
  readonly keys: readonly string[];
}

export class Allotments implements OpenBoard {
  /** Of this thread. */
  readonly board: Board;
  readonly #epoch: number;
  readonly #workers: number;
  readonly #segments: SegmentMemory[] = [];
  #held: ReadonlyMap<string, Holding> = new Map();
  #groups = new Pool();
  #slots = new Pool();

  /** @param workers 0 where one thread carries all connections. @param worker whose board it is; -1: the control plane's. */
  constructor(upstreams: Iterable<UpstreamConfig>, workers: number, clock: BoardClock, worker = -1) {
    this.#epoch = clock.wallTime();
    this.#workers = workers;
    const configs = [...upstreams];
    this.#grow(
      configs.length,
      configs.reduce((sum, config) => sum + slotsNeeded(config), 0),
    );
    this.board = new Board(this.memory, worker, clock);
    this.allot(configs);
  }

  get memory(): BoardMemory {
    return { segments: this.#segments, epoch: this.#epoch, workers: this.#workers };
  }

  get allotments(): AllotmentMap {
    return this.#held;
  }

  /** The upstreams of another configuration: those of the same name, and their same servers, keep what they have. */
  allot(upstreams: Iterable<UpstreamConfig>): AllotmentMap {
    const before = this.#held;
    const configs = [...upstreams];
    const kept = configs.map((config) => keptBy(config, before.get(config.name)));
    this.#retire(before, new Set(configs.map(({ name }) => name)), new Set(kept.flatMap(slotsOf)));
    const missing = kept.map(({ servers, spare }) => servers.filter(isMissing).length + spare.filter(isMissing).length);
    this.#provide(
      kept.filter(({ group }) => group === undefined).length,
      missing.reduce((a, b) => a + b, 0),
    );
    this.#held = new Map(configs.map((config, index) => [config.name, this.#complete(kept[index] as Kept)]));
    return this.#held;
  }

  /** What nobody has any more goes back, to be used once it is at rest. */
  #retire(before: ReadonlyMap<string, Holding>, names: ReadonlySet<string>, kept: ReadonlySet<number>): void {
    for (const [name, holding] of before) {
      if (!names.has(name)) this.#groups.retire(holding.group);
      for (const slot of slotsOf(holding)) if (!kept.has(slot)) this.#slots.retire(slot);
    }
    this.#groups.revive((group) => this.board.waiting(group) === 0);
    this.#slots.revive((slot) => this.board.read(slot, "active") === 0);
  }

  #provide(groups: number, slots: number): void {
    if (groups <= this.#groups.size && slots <= this.#slots.size) return;
    this.#grow(groups, slots);
    this.board.extend(this.memory);
  }

  /** A further segment; the next one is larger by as much as there is already. */
  #grow(groups: number, slots: number): void {
    const segment = createSegment(
      groups + MORE_GROUPS + this.#groups.count,
      slots + MORE_SLOTS + this.#slots.count,
      this.#workers,
    );
    this.#segments.push(segment);
    this.#groups.add(segment.groups);
    this.#slots.add(segment.slots);
  }

  #complete({ group, servers, spare, keys }: Kept): Holding {
    const slotFor = (slot: number | undefined): number => slot ?? this.#takeSlot();
    return { group: group ?? this.#groups.take(), servers: servers.map(slotFor), spare: spare.map(slotFor), keys };
  }

  #takeSlot(): number {
    const slot = this.#slots.take();
    this.board.clear(slot);
    return slot;
  }
}

/** Numbers that are free, and those that may be again. */
class Pool {
  /** Numbers that were given out in all. */
  count = 0;
  #free: number[] = [];
  #retired: number[] = [];

  get size(): number {
    return this.#free.length;
  }

  add(more: number): void {
    const fresh = Array.from({ length: more }, (_, index) => this.count + index);
    // Taken from the end: the lowest first.
    this.#free = [...fresh.reverse(), ...this.#free];
    this.count += more;
  }

  take(): number {
    return this.#free.pop() as number;
  }

  retire(number: number): void {
    this.#retired.push(number);
  }

  /** Those that `isAtRest` can be used again. */
  revive(isAtRest: (number: number) => boolean): void {
    const waiting: number[] = [];
    for (const number of this.#retired) (isAtRest(number) ? this.#free : waiting).push(number);
    this.#retired = waiting;
  }
}

/** What an upstream keeps; undefined: it needs a new one. */
interface Kept {
  readonly group: number | undefined;
  readonly servers: readonly (number | undefined)[];
  readonly spare: readonly (number | undefined)[];
  readonly keys: readonly string[];
}

function keptBy(config: UpstreamConfig, before: Holding | undefined): Kept {
  const keys = config.servers.map(keyOf);
  const slots = new Map<string, number[]>();
  before?.keys.forEach((key, index) => {
    const same = slots.get(key) ?? [];
    same.push(before.servers[index] as number);
    slots.set(key, same);
  });
  const spare = Array.from({ length: spareOf(config) }, (_, index) => before?.spare[index]);
  return { group: before?.group, servers: keys.map((key) => slots.get(key)?.shift()), spare, keys };
}

function isMissing(slot: number | undefined): boolean {
  return slot === undefined;
}

function slotsOf({ servers, spare }: Pick<Kept, "servers" | "spare">): number[] {
  return [...servers, ...spare].filter((slot) => slot !== undefined);
}

/** What makes a server the same one: where it is. */
function keyOf({ target, discover }: ServerConfig): string {
  return JSON.stringify([target, discover]);
}

function spareOf({ servers }: UpstreamConfig): number {
  return servers.some(({ discover }) => discover !== undefined) ? SPARE_SLOTS : 0;
}

function slotsNeeded(config: UpstreamConfig): number {
  return config.servers.length + spareOf(config);
}

/** The board of a program whose one thread carries all connections. */
export function ownBoard(configs: ReadonlyMap<string, UpstreamConfig>, clock: BoardClock): Allotments {
  return new Allotments(configs.values(), 0, clock, 0);
}
