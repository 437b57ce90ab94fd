/**
 * An upstream at work: its servers, their balancer, and who may be chosen when.
 *
 * Owns: the order in which servers are considered (backups after the others, failing ones when nothing else is left),
 * and the count of connections. It must not connect: it only says which server is next.
 */

import type { ServerConfig, Target, UpstreamConfig } from "../config/config.ts";
import type { Allotment, AllotmentMap } from "./allotments.ts";
import { type Balancer, type Choice, createBalancer } from "./balancer.ts";
import type { Board } from "./board.ts";
import { Member, type MemberHome, type Tell } from "./member.ts";
import { RoundRobin } from "./round_robin.ts";
import { type PassOn, WaitingLine } from "./waiting_line.ts";

/** A server at work, as the control plane hands it out. */
export interface MemberPlace {
  readonly slot: number;
  /** Which of the configured servers it belongs to. */
  readonly server: number;
  readonly target: Target;
  /** In place of the configured ones, where DNS says (SRV). */
  readonly weight?: number;
  readonly backup?: boolean;
}

/** What upstreams get from who runs them. */
export interface UpstreamParts {
  readonly board: Board;
  /** From 0 up to 1. */
  random(): number;
  /** Told when a server goes out of service by its failures, or comes back. */
  readonly tell: Tell;
  /** Absent where there is one thread. */
  readonly passOn?: PassOn | undefined;
  /** Absent where nobody counts. */
  readonly observer?: ServerObserver | undefined;
}

/** Told what becomes of servers, each by its upstream's name and its address. */
export interface ServerObserver {
  /** It has answered a connect after `time` ms. */
  serverConnected(upstream: string, server: string, time: number): void;
  /** It has a connection. */
  serverTook(upstream: string, server: string): void;
  /** It could not be used. @param cause an error's code, or a fixed word. */
  serverFailed(upstream: string, server: string, cause: string): void;
}

export class Upstream implements MemberHome {
  readonly board: Board;
  readonly name: string;
  /** Its group on the board. */
  readonly index: number;
  readonly tell: Tell;
  readonly #parts: UpstreamParts;
  #config!: UpstreamConfig;
  #isByName = false;
  /** Who waits; it stays when a configuration takes the queue away. */
  #line: WaitingLine | undefined;
  #members: readonly Member[] = [];
  #primary!: Balancer;
  #backup!: Balancer;

  constructor(config: UpstreamConfig, allotment: Allotment, parts: UpstreamParts) {
    this.index = allotment.group;
    this.board = parts.board;
    this.name = config.name;
    this.tell = parts.tell;
    this.#parts = parts;
    this.reconfigure(config, configuredPlaces(config, allotment));
  }

  get config(): UpstreamConfig {
    return this.#config;
  }

  get observer(): ServerObserver | undefined {
    return this.#parts.observer;
  }

  /** DNS says where a server of it is. */
  get isByName(): boolean {
    return this.#isByName;
  }

  /** Absent where connections do not wait. */
  get line(): WaitingLine | undefined {
    return this.#config.queue === undefined ? undefined : this.#line;
  }

  /** Another configuration of it is in force. @param places its servers at work. */
  reconfigure(config: UpstreamConfig, places: readonly MemberPlace[]): void {
    this.#config = config;
    this.#isByName = config.servers.some(({ target }) => target.kind === "host");
    const { queue } = config;
    if (queue !== undefined) {
      const { board, passOn = () => {} } = this.#parts;
      this.#line ??= new WaitingLine(board, this.index, queue, passOn);
      this.#line.limits = queue;
    }
    this.setMembers(places);
    // Whoever waits may be better off now.
    this.freed();
  }

  /** The servers at work now. */
  get members(): readonly Member[] {
    return this.#members;
  }

  /** Replaces the servers; those that stay keep their connections and counts, those that go keep what they have. */
  setMembers(places: readonly MemberPlace[]): void {
    const known = new Map(this.#members.map((member) => [member.slot, member]));
    this.#members = places.flatMap((place) => {
      const config = this.#config.servers[place.server];
      if (config === undefined) return [];
      const old = known.get(place.slot);
      return old !== undefined && isSame(old, config, place) ? old : this.#member(config, place);
    });
    const { balance } = this.#config;
    const primary = this.#members.filter(({ config }) => !config.backup);
    this.#primary = createBalancer(balance, primary, this.#parts.random);
    this.#backup = new RoundRobin(this.#members.filter(({ config }) => config.backup));
    // Those who wait may have one of the new ones.
    this.freed();
  }

  #member(config: ServerConfig, { slot, target, weight, backup }: MemberPlace): Member {
    if (weight === undefined && backup === undefined) return new Member(this, slot, config, target);
    const found = { ...config, weight: weight ?? config.weight, backup: backup ?? config.backup };
    return new Member(this, slot, found, target);
  }

  /**
   * The next server for a connection, which then has it until `Member.release`. `busy`: there are some, but each has
   * its `maxConnections`. Undefined: there is none left.
   */
  take(choice: Choice, now: number): Member | "busy" | undefined {
    const { board, index } = this;
    const tick = board.tick(now);
    board.lock(index);
    try {
      const member = this.#choose(choice, tick);
      if (member instanceof Member) member.taken(tick);
      return member;
    } finally {
      board.unlock(index);
    }
  }

  /** A server has a connection less: somebody who waits may have it. */
  freed(): void {
    this.#line?.freed();
  }

  /** Whether a connection that has tried `tried` could still be given another server, be it the last effort. */
  hasOther(tried: ReadonlySet<Member>): boolean {
    return this.#members.some((member) => !tried.has(member) && member.isEnabled);
  }

  /** How the servers that were not tried are, for a log. */
  describe({ tried }: Choice, now: number): string {
    const tick = this.board.tick(now);
    const untried = this.#members.filter((member) => !tried.has(member));
    return untried.map((member) => `${member.label} ${member.state(tick)}`).join(", ");
  }

  #choose(choice: Choice, tick: number): Member | "busy" | undefined {
    let busy = false;
    let effort = 0;
    const allows = (member: Member): boolean => {
      if (choice.tried.has(member) || !mayTry(member, effort, tick)) return false;
      if (member.hasRoom) return true;
      busy = true;
      return false;
    };
    for (; effort <= LAST_EFFORT; effort++) {
      const found = this.#among(choice, tick, allows);
      if (found !== undefined || busy) return found ?? "busy";
    }
    return undefined;
  }

  #among(choice: Choice, tick: number, allows: (member: Member) => boolean): Member | undefined {
    return this.#primary.choose(choice, tick, allows) ?? this.#backup.choose(choice, tick, allows);
  }
}

/** Whether `member` is what `place` says: it then stays. */
function isSame(member: Member, config: ServerConfig, { target, weight, backup }: MemberPlace): boolean {
  const wanted = { ...config, weight: weight ?? config.weight, backup: backup ?? config.backup };
  return JSON.stringify([member.config, member.target]) === JSON.stringify([wanted, target]);
}

/** The servers before any name is resolved: a service has none then, a name is resolved for each connection. */
export function configuredPlaces(config: UpstreamConfig, { servers }: Pick<Allotment, "servers">): MemberPlace[] {
  return config.servers.flatMap(({ target, discover }, server) =>
    discover === "service" ? [] : [{ slot: servers[server] as number, server, target }],
  );
}

const LAST_EFFORT = 2;

/**
 * Whom to consider: with the first effort who is well; with the second who is failing, since only a try can tell whether it
 * still does; with the last also who is down by its checks: what checks may be what is broken.
 */
function mayTry(member: Member, effort: number, tick: number): boolean {
  if (effort === 0) return member.isInService && !member.isFailing(tick);
  return effort === 1 ? member.isInService : member.isEnabled;
}

/** Upstreams by name, as they were before; and by name, the servers at work of those whose servers DNS has named. */
export interface Former {
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly places: ReadonlyMap<string, readonly MemberPlace[]>;
}

/** Every upstream of a configuration, by name. Those that there were keep who waits and what they have counted. */
export function createUpstreams(
  configs: ReadonlyMap<string, UpstreamConfig>,
  allotments: AllotmentMap,
  parts: UpstreamParts,
  former?: Former,
): ReadonlyMap<string, Upstream> {
  const upstreams = new Map<string, Upstream>();
  for (const [name, config] of configs) {
    const allotment = allotments.get(name)!;
    const known = former?.upstreams.get(name);
    const upstream = known ?? new Upstream(config, allotment, parts);
    const places = former?.places.get(name) ?? configuredPlaces(config, allotment);
    if (former !== undefined) upstream.reconfigure(config, places);
    upstreams.set(name, upstream);
  }
  return upstreams;
}
