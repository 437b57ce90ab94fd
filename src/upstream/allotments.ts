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
  /** In all segments. */
  #groups = 0;
  #slots = 0;
  #held: ReadonlyMap<string, Holding> = new Map();
  #former: ReadonlyMap<string, Holding> = this.#held;

  /** @param workers 0 where one thread carries all connections. @param worker whose board it is; -1: the control plane's. */
  constructor(upstreams: Iterable<UpstreamConfig>, workers: number, clock: BoardClock, worker = -1) {
    this.#epoch = clock.wallTime();
    this.#workers = workers;
    const configs = [...upstreams];
    const slots = configs.reduce((sum, { servers }) => sum + servers.length, 0);
    this.#addSegment(configs.length, slots);
    this.board = new Board(this.memory, worker, clock);
    this.allot(configs);
  }

  get memory(): BoardMemory {
    return { segments: [...this.#segments], epoch: this.#epoch, workers: this.#workers };
  }

  get allotments(): AllotmentMap {
    return this.#held;
  }

  /** The upstreams of another configuration: those of the same name, and their same servers, keep what they have. */
  allot(upstreams: Iterable<UpstreamConfig>): AllotmentMap {
    const former = this.#held;
    const configs = [...upstreams];
    const kept = configs.map((config) => keptBy(config, former.get(config.name)));
    // What the former ones have is theirs until every thread has heard of the new ones.
    const [groups, slots] = this.#provide(
      [...former.values()].map(({ group }) => group),
      kept.filter(({ group }) => group === undefined).length,
      [...former.values()].flatMap(({ servers, spare }) => [...servers, ...spare]),
      kept.reduce((sum, { servers, spare }) => sum + [...servers, ...spare].filter(isMissing).length, 0),
    );
    const slotFor = (slot: number | undefined): number => slot ?? this.#cleared(slots.pop() as number);
    this.#held = new Map(
      kept.map(({ name, group, servers, spare, keys }) => {
        const own = { servers: servers.map(slotFor), spare: spare.map(slotFor) };
        return [name, { group: group ?? (groups.pop() as number), ...own, keys }];
      }),
    );
    this.#former = former;
    return this.#held;
  }

  /** The configuration of the last `allot` did not come into force. */
  undo(): void {
    this.#held = this.#former;
  }

  /** So many groups and slots that nobody has, the lowest last; in a further segment, where there are too few. */
  #provide(groups: number[], moreGroups: number, slots: number[], moreSlots: number): [number[], number[]] {
    const { board } = this;
    const freeGroups = free(this.#groups, groups, moreGroups, (group) => board.waiting(group) === 0);
    const freeSlots = free(this.#slots, slots, moreSlots, (slot) => board.read(slot, "active") === 0);
    if (freeGroups.length >= moreGroups && freeSlots.length >= moreSlots) return [freeGroups, freeSlots];
    this.#addSegment(moreGroups, moreSlots);
    board.extend(this.memory);
    return this.#provide(groups, moreGroups, slots, moreSlots);
  }

  /** The further it has grown, the larger are the steps. */
  #addSegment(groups: number, slots: number): void {
    const segment = createSegment(groups + MORE_GROUPS + this.#groups, slots + MORE_SLOTS + this.#slots, this.#workers);
    this.#segments.push(segment);
    this.#groups += segment.groups;
    this.#slots += segment.slots;
  }

  #cleared(slot: number): number {
    this.board.clear(slot);
    return slot;
  }
}

/** Up to `count` of the numbers below `total` that are not `used` and at rest, the lowest last. */
function free(total: number, used: readonly number[], count: number, isAtRest: (number: number) => boolean): number[] {
  const taken = new Set(used);
  const found: number[] = [];
  for (let number = 0; number < total && found.length < count; number++) {
    if (!taken.has(number) && isAtRest(number)) found.push(number);
  }
  return found.reverse();
}

/** What an upstream keeps; undefined: it needs a new one. */
interface Kept {
  readonly name: string;
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
  return { name: config.name, group: before?.group, servers: keys.map((key) => slots.get(key)?.shift()), spare, keys };
}

function isMissing(slot: number | undefined): boolean {
  return slot === undefined;
}

/** What makes a server the same one: where it is. */
function keyOf({ target, discover }: ServerConfig): string {
  return JSON.stringify([target, discover]);
}

function spareOf({ servers }: UpstreamConfig): number {
  return servers.some(({ discover }) => discover !== undefined) ? SPARE_SLOTS : 0;
}

/** The board of a program whose one thread carries all connections. */
export function ownBoard(configs: ReadonlyMap<string, UpstreamConfig>, clock: BoardClock): Allotments {
  return new Allotments(configs.values(), 0, clock, 0);
}
