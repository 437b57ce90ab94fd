/**
 * Active checks: looks after every server of the upstreams that ask for it.
 *
 * Owns: when each server is checked: never two checks of one server at once, and of all servers only so many; spread by
 * chance, so that neither servers nor workers of several machines are asked in step. It must not connect (the probe
 * does) nor balance: it says who is up or down.
 */

import { Check, type CheckParts } from "./check.ts";
import type { CheckPlan } from "./check_plan.ts";
import { CheckedServer, type CheckedStatus } from "./checked_server.ts";

/** Checks under way at once. */
const MOST_CHECKS = 64;
/** The interval's part by which chance moves a check, either way. */
const JITTER = 0.1;
/** The first checks come within this time, ms: who is down should be known soon. */
const FIRST_WITHIN = 1_000;

export interface HealthParts extends CheckParts {
  /** From 0 up to 1. */
  random(): number;
  /** A server is up or down from now on. */
  changed(plan: CheckPlan, isUp: boolean): void;
  /** Nobody checks the server of a slot any more. */
  unwatched(slot: number): void;
  /** A check has ended. */
  checked?(plan: CheckPlan, isWell: boolean): void;
  /** What an operator should know, one line each. */
  warn(line: string): void;
}

interface Entry {
  readonly server: CheckedServer;
  /** Ends what it waits for: its time, or the check under way. */
  cancel: () => void;
}

export class HealthChecker {
  readonly #parts: HealthParts;
  /** By slot. */
  #entries = new Map<number, Entry>();
  /** Due, but too many others are under way; in turn. */
  #waiting: Entry[] = [];
  #running = 0;

  constructor(parts: HealthParts) {
    this.#parts = parts;
  }

  /** Who is checked from now on; whoever was checked before, at the same place and in the same way, keeps its state. */
  setServers(plans: readonly CheckPlan[]): void {
    const entries = new Map<number, Entry>();
    const added: Entry[] = [];
    for (const plan of plans) {
      const known = this.#entries.get(plan.slot);
      if (known !== undefined && isSame(known.server.plan, plan)) entries.set(plan.slot, known);
      else {
        const entry = { server: new CheckedServer(plan), cancel: () => {} };
        entries.set(plan.slot, entry);
        added.push(entry);
      }
    }
    for (const [slot, entry] of this.#entries) {
      if (entries.get(slot) === entry) continue;
      this.#drop(entry);
      if (!entries.has(slot)) this.#parts.unwatched(slot);
    }
    this.#entries = entries;
    for (const entry of added) {
      this.#schedule(entry, this.#parts.random() * Math.min(FIRST_WITHIN, entry.server.plan.check.interval));
    }
    this.#next();
  }

  /** Ends what is under way; nothing is told any more. */
  stop(): void {
    for (const entry of this.#entries.values()) this.#drop(entry);
    this.#entries.clear();
  }

  /** How the server of a slot is; undefined where it is not checked. */
  statusOf(slot: number): CheckedStatus | undefined {
    return this.#entries.get(slot)?.server.status(this.#parts.clock.wallTime());
  }

  #drop(entry: Entry): void {
    entry.cancel();
    this.#waiting = this.#waiting.filter((other) => other !== entry);
  }

  #schedule(entry: Entry, delay: number): void {
    entry.cancel = this.#parts.clock.after(delay, () => {
      entry.cancel = () => {};
      this.#waiting.push(entry);
      this.#next();
    });
  }

  #next(): void {
    while (this.#running < MOST_CHECKS) {
      const entry = this.#waiting.shift();
      if (entry === undefined) return;
      this.#check(entry);
    }
  }

  #check(entry: Entry): void {
    const { server } = entry;
    this.#running++;
    const check = new Check(server.plan, this.#parts, (result) => {
      this.#running--;
      this.#schedule(entry, server.plan.check.interval * (1 + JITTER * (2 * this.#parts.random() - 1)));
      this.#parts.checked?.(server.plan, result.error === undefined);
      this.#checked(server, server.add(result, this.#parts.clock.wallTime()));
      this.#next();
    });
    entry.cancel = () => {
      this.#running--;
      check.cancel();
    };
  }

  #checked(server: CheckedServer, { changed, lines }: ReturnType<CheckedServer["add"]>): void {
    const { plan, isDown } = server;
    if (changed) this.#parts.changed(plan, !isDown);
    for (const line of lines) this.#parts.warn(line);
    if (!changed || !isDown) return;
    const group = [...this.#entries.values()].filter((entry) => entry.server.plan.upstream === plan.upstream);
    if (group.length === 1 || group.some((entry) => !entry.server.isDown)) return;
    this.#parts.warn(`upstream ${plan.upstream}: all ${group.length} servers are down; they are tried all the same`);
  }
}

function isSame(a: CheckPlan, b: CheckPlan): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
