/**
 * An upstream at work: its servers, their balancer, and who may be chosen when.
 *
 * Owns: the order in which servers are considered (backups after the others, failing ones when nothing else is left),
 * and the count of connections. It must not connect: it only says which server is next.
 */

import type { Target, UpstreamConfig } from "../config/config.ts";
import { type Balancer, type Choice, createBalancer } from "./balancer.ts";
import { Board, type BoardClock, createBoardMemory } from "./board.ts";
import { Member, type MemberHome, type Tell } from "./member.ts";
import { RoundRobin } from "./round_robin.ts";
import { type PassOn, WaitingLine } from "./waiting_line.ts";

/** A server at work, as the control plane hands it out. */
export interface MemberPlace {
  readonly slot: number;
  /** Which of the configured servers it belongs to. */
  readonly server: number;
  readonly target: Target;
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
}

export class Upstream implements MemberHome {
  readonly config: UpstreamConfig;
  /** Its place in the configuration, and on the board. */
  readonly index: number;
  readonly board: Board;
  readonly name: string;
  readonly tell: Tell;
  /** Absent where connections do not wait. */
  readonly line: WaitingLine | undefined;
  readonly #random: () => number;
  #members: readonly Member[] = [];
  #primary!: Balancer;
  #backup!: Balancer;

  constructor(config: UpstreamConfig, index: number, parts: UpstreamParts) {
    this.config = config;
    this.index = index;
    this.board = parts.board;
    this.name = config.name;
    this.tell = parts.tell;
    this.#random = parts.random;
    const { queue } = config;
    this.line =
      queue === undefined ? undefined : new WaitingLine(parts.board, index, queue, parts.passOn ?? (() => {}));
    const first = parts.board.firstSlot(index);
    this.setMembers(config.servers.map(({ target }, server) => ({ slot: first + server, server, target })));
  }

  /** The servers at work now. */
  get members(): readonly Member[] {
    return this.#members;
  }

  /** Replaces the servers; those that stay keep their connections and counts, those that go keep what they have. */
  setMembers(places: readonly MemberPlace[]): void {
    const known = new Map(this.#members.map((member) => [member.slot, member]));
    this.#members = places.flatMap(({ slot, server, target }) => {
      const config = this.config.servers[server];
      if (config === undefined) return [];
      const old = known.get(slot);
      return old?.config === config && sameTarget(old.target, target) ? old : new Member(this, slot, config, target);
    });
    const { balance } = this.config;
    const primary = this.#members.filter(({ config }) => !config.backup);
    this.#primary = createBalancer(balance, primary, this.#random);
    this.#backup = new RoundRobin(this.#members.filter(({ config }) => config.backup));
  }

  /**
   * The next server for a connection, which then has it until `Member.release`. `busy`: there are some, but each has
   * its `maxConnections`. Undefined: there is none left.
   */
  take(choice: Choice, now: number): Member | "busy" | undefined {
    const { board, index } = this;
    const tick = board.tick(now);
    board.lock(index);
    const member = this.#choose(choice, tick);
    if (member instanceof Member) member.taken(tick);
    board.unlock(index);
    return member;
  }

  /** A server has a connection less: somebody who waits may have it. */
  freed(): void {
    this.line?.freed();
  }

  /** Whether a connection that has tried `tried` could still be given another server. */
  hasOther(tried: ReadonlySet<Member>): boolean {
    return this.#members.some((member) => !tried.has(member) && member.isInService);
  }

  /** How the servers that were not tried are, for a log. */
  describe({ tried }: Choice, now: number): string {
    const tick = this.board.tick(now);
    const untried = this.#members.filter((member) => !tried.has(member));
    return untried.map((member) => `${member.label} ${member.state(tick)}`).join(", ");
  }

  #choose(choice: Choice, tick: number): Member | "busy" | undefined {
    let busy = false;
    const allows = (member: Member): boolean => {
      if (choice.tried.has(member) || !member.isInService || (!desperate && member.isFailing(tick))) return false;
      if (member.hasRoom) return true;
      busy = true;
      return false;
    };
    let desperate = false;
    const found = this.#among(choice, tick, allows);
    if (found !== undefined || busy) return found ?? "busy";
    // All are failing: whether they still do, only a try can tell.
    desperate = true;
    return this.#among(choice, tick, allows) ?? (busy ? "busy" : undefined);
  }

  #among(choice: Choice, tick: number, allows: (member: Member) => boolean): Member | undefined {
    return this.#primary.choose(choice, tick, allows) ?? this.#backup.choose(choice, tick, allows);
  }
}

function sameTarget(a: Target, b: Target): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Every upstream of a configuration, by name. */
export function createUpstreams(
  configs: ReadonlyMap<string, UpstreamConfig>,
  parts: UpstreamParts,
): ReadonlyMap<string, Upstream> {
  return new Map([...configs.values()].map((config, index) => [config.name, new Upstream(config, index, parts)]));
}

/** The board of a program whose one thread carries all connections. */
export function ownBoard(configs: ReadonlyMap<string, UpstreamConfig>, clock: BoardClock): Board {
  return new Board(createBoardMemory(configs.values(), 0, clock), 0, clock);
}
