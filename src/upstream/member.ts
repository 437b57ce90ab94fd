/**
 * A server at work: what its configuration allows, and what its slot of the board says.
 *
 * Owns: whether it may be chosen, its weight at the moment, and what failures and successes do to both, as nginx
 * counts them. It must not choose: balancers do.
 */

import { formatEndpoint } from "../address.ts";
import type { ServerConfig, Target } from "../config/config.ts";
import { type Board, HEALTH, SLOT, TICK, WEIGHT_UNIT } from "./board.ts";

/** Told when a server goes out of service by its failures, or comes back. */
export type Tell = (message: string) => void;

/** What a server's upstream gives it. */
export interface MemberHome {
  readonly board: Board;
  /** The upstream's group on the board. */
  readonly index: number;
  /** The upstream's name, for messages. */
  readonly name: string;
  readonly tell: Tell;
  /** One of its servers has a connection less, or is in service again. */
  freed(): void;
}

const ticks = (milliseconds: number): number => Math.ceil(milliseconds / TICK);

/** A server's address as a configuration writes it; without a port where the listener's is meant. */
export function serverName(target: Target): string {
  switch (target.kind) {
    case "host":
      // A service has no port of its own.
      return target.port === 0 ? target.name : `${target.name}:${target.port}`;
    case "unix":
      return formatEndpoint(target);
    case "ip":
      return target.port === undefined ? target.ip : formatEndpoint({ kind: "tcp", ip: target.ip, port: target.port });
  }
}

export class Member {
  readonly config: ServerConfig;
  /** Where it is: the configured server's, or one of the addresses of its name. */
  readonly target: Target;
  /** The configured server's address; the same for all addresses of one name. */
  readonly name: string;
  /** Where it is, for people. */
  readonly address: string;
  /** Its number on the board. */
  readonly slot: number;
  readonly #home: MemberHome;
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #failTicks: number;
  readonly #slowTicks: number;

  constructor(home: MemberHome, slot: number, config: ServerConfig, target: Target = config.target) {
    this.config = config;
    this.target = target;
    this.name = serverName(config.target);
    this.address = target === config.target ? this.name : serverName(target);
    this.slot = slot;
    this.#home = home;
    const { words, at } = home.board.slot(slot);
    this.#words = words;
    this.#at = at;
    this.#failTicks = ticks(config.failTimeout);
    this.#slowTicks = ticks(config.slowStart);
  }

  /** Its upstream's name. */
  get upstream(): string {
    return this.#home.name;
  }

  /** Connections now, of all workers, those that are being dialled included. */
  get active(): number {
    return Atomics.load(this.#words, this.#at + SLOT.active);
  }

  /** `maxConnections` is not reached. */
  get hasRoom(): boolean {
    const { maxConnections } = this.config;
    return maxConnections === 0 || this.active < maxConnections;
  }

  /** Neither the configuration nor an operator has taken it out. */
  get isEnabled(): boolean {
    return !this.config.down && Atomics.load(this.#words, this.#at + SLOT.disabled) === 0;
  }

  /** Nor do active checks say that it is down. */
  get isInService(): boolean {
    return this.isEnabled && Atomics.load(this.#words, this.#at + SLOT.health) !== HEALTH.down;
  }

  /** It failed `maxFails` times, the last time less than `failTimeout` ago. */
  isFailing(tick: number): boolean {
    const { maxFails } = this.config;
    if (maxFails === 0 || Atomics.load(this.#words, this.#at + SLOT.fails) < maxFails) return false;
    // Two threads may disagree about the time after the wall clock was set: then it is not kept out for longer.
    return Math.abs(tick - Atomics.load(this.#words, this.#at + SLOT.checkedAt)) <= this.#failTicks;
  }

  /** It may be chosen. */
  isAvailable(tick: number): boolean {
    return this.isInService && !this.isFailing(tick) && this.hasRoom;
  }

  /** How it is, in a word or two. */
  state(tick: number): string {
    if (!this.isInService) return "is down";
    if (this.isFailing(tick)) return "is failing";
    return `has ${this.active}${this.config.maxConnections === 0 ? "" : ` of ${this.config.maxConnections}`} connections`;
  }

  /** Its weight now, in `WEIGHT_UNIT`s: grows back with `slowStart` after it was out of service. */
  weight(tick: number): number {
    const whole = this.config.weight * WEIGHT_UNIT;
    if (this.#slowTicks === 0) return whole;
    const backAt = Atomics.load(this.#words, this.#at + SLOT.backAt);
    const since = tick - backAt;
    if (backAt === 0 || since < 0 || since >= this.#slowTicks) return whole;
    return Math.max(1, Math.floor((whole * (since + 1)) / this.#slowTicks));
  }

  // --- smooth weighted round robin; all of it under the upstream's lock ---

  /** Raises the current weight for one choice, by what it returns. @param slow whether `slowStart` counts. */
  raise(tick: number, slow: boolean): number {
    const lost = this.#words[this.#at + SLOT.lostWeight]!;
    const whole = slow ? this.weight(tick) : this.config.weight * WEIGHT_UNIT;
    const weight = Math.max(0, whole - lost);
    this.#words[this.#at + SLOT.currentWeight]! += weight;
    // What failures took comes back step by step.
    if (lost > 0) this.#words[this.#at + SLOT.lostWeight] = Math.max(0, lost - WEIGHT_UNIT);
    return weight;
  }

  get currentWeight(): number {
    return this.#words[this.#at + SLOT.currentWeight]!;
  }

  lower(total: number): void {
    this.#words[this.#at + SLOT.currentWeight]! -= total;
  }

  // --- what becomes of it ---

  /** A connection has it. Under the upstream's lock. */
  taken(tick: number): void {
    this.#home.board.count(this.slot, 1);
    const fails = Atomics.load(this.#words, this.#at + SLOT.fails);
    if (fails === 0) return;
    const isFailing = this.config.maxFails > 0 && fails >= this.config.maxFails;
    if (!isFailing && tick - Atomics.load(this.#words, this.#at + SLOT.checkedAt) <= this.#failTicks) return;
    // This connection finds out how it is; until that is known, the others pass it over.
    const failedAt = Atomics.load(this.#words, this.#at + SLOT.failedAt);
    Atomics.store(this.#words, this.#at + SLOT.checkedAt, Math.max(tick, failedAt + 1));
  }

  /** A connection that had it is over. */
  release(): void {
    const { board, index } = this.#home;
    board.lock(index);
    board.count(this.slot, -1);
    board.unlock(index);
    this.#home.freed();
  }

  /** It did not take a connection, or broke it before the first byte. */
  failed(now: number, cause: string): void {
    const tick = this.#home.board.tick(now);
    const { maxFails, weight, failTimeout } = this.config;
    const fails = Atomics.add(this.#words, this.#at + SLOT.fails, 1) + 1;
    Atomics.store(this.#words, this.#at + SLOT.failedAt, tick);
    Atomics.store(this.#words, this.#at + SLOT.checkedAt, tick);
    if (maxFails === 0) return;
    this.#loseWeight(Math.floor(weight / maxFails) * WEIGHT_UNIT);
    if (fails !== maxFails) return;
    this.#home.tell(
      `upstream ${this.#home.name}: ${this.label} failed (${cause}) and is passed over for ${failTimeout / 1000} s`,
    );
  }

  #loseWeight(part: number): void {
    const { board, index } = this.#home;
    const at = this.#at + SLOT.lostWeight;
    board.lock(index);
    this.#words[at] = Math.min(this.config.weight * WEIGHT_UNIT, this.#words[at]! + part);
    board.unlock(index);
  }

  /** Its client has left before it showed how it is: if that was to be found out, another connection may. */
  undecided(): void {
    if (Atomics.load(this.#words, this.#at + SLOT.fails) === 0) return;
    const checkedAt = Atomics.load(this.#words, this.#at + SLOT.checkedAt);
    const failedAt = Atomics.load(this.#words, this.#at + SLOT.failedAt);
    if (checkedAt > failedAt) Atomics.compareExchange(this.#words, this.#at + SLOT.checkedAt, checkedAt, failedAt);
  }

  /** It took a connection. */
  succeeded(now: number): void {
    const fails = Atomics.load(this.#words, this.#at + SLOT.fails);
    if (fails === 0) return;
    // Only a try that was made to find out clears them: successes in between do not hide the failures.
    const failedAt = Atomics.load(this.#words, this.#at + SLOT.failedAt);
    if (failedAt >= Atomics.load(this.#words, this.#at + SLOT.checkedAt)) return;
    Atomics.store(this.#words, this.#at + SLOT.fails, 0);
    const { maxFails } = this.config;
    if (maxFails === 0 || fails < maxFails) return;
    this.isBack(this.#home.board.tick(now));
    this.#home.tell(`upstream ${this.#home.name}: ${this.label} is back`);
    // Those who wait passed it over until now.
    this.#home.freed();
  }

  /** It is in service again: `slowStart` begins. */
  isBack(tick: number): void {
    Atomics.store(this.#words, this.#at + SLOT.backAt, tick);
  }

  /** Its address for people, and the configured one where that is another. */
  get label(): string {
    const { address, name } = this;
    return address === name ? address : `${address} (${name})`;
  }
}
