/**
 * Remembers what names resolve to.
 *
 * Owns: one lookup at a time for one name, answers for as long as their TTL says, old ones while the resolver fails
 * (RFC 8767), and the bound on all of it: the names that were not asked for the longest go first. It must not know DNS.
 */

import type { Clock } from "../adapter.ts";
import type { ResolvedAddresses, ResolvedServices, ResolveFailure, Resolver, ServiceRecord } from "../host.ts";
import { CachedName, type CacheTimes } from "./cached_name.ts";
import { LookupQueue, type LookupTask } from "./lookup_queue.ts";
import { noLookups, type ResolverCounts } from "./resolver_counts.ts";

export const MAX_NAMES = 10_000;
/** Of those that have no address: a flood of them must not push out the ones that do. */
export const MAX_FAILED_NAMES = 1_000;
/** Milliseconds for the resolver before an old answer is given instead (RFC 8767 §5, client response timer). */
const PATIENCE = 1_800;
/** Names of which it is said that old answers are used: more would fill the log. */
const MAX_WARNED = 10;

export interface NameCacheParts {
  readonly resolver: Resolver;
  readonly clock: Pick<Clock, "now" | "after">;
  readonly times: CacheTimes;
  /** What is counted, if anybody wants to know. */
  readonly counts?: ResolverCounts;
  /** Told when old answers begin to be used for a name, and when that is over. */
  warn(message: string): void;
}

/** An answer, and when it should be asked for again (ms, monotonic). */
export interface Known<Value> {
  readonly value: Value;
  readonly freshUntil: number;
}

type Ask<Value> = (
  answered: (
    outcome: { readonly value: Value; readonly ttl: number | undefined } | ResolveFailure,
    more?: "more",
  ) => void,
) => void;

export class NameCache {
  readonly #resolver: Resolver;
  readonly #addresses: Table<readonly string[]>;
  readonly #services: Table<readonly ServiceRecord[]>;

  constructor(parts: NameCacheParts) {
    this.#resolver = parts.resolver;
    const queue = new LookupQueue(parts.resolver.concurrency);
    this.#addresses = new Table(parts, queue);
    this.#services = new Table(parts, queue);
  }

  /** Addresses of `name`. @throws {IoError} as the rejection: `ENOTFOUND`, `ETIMEOUT`, `ESERVFAIL`, … */
  async resolve(name: string): Promise<readonly string[]> {
    return (await this.lookUp(name)).value;
  }

  /** The same, and until when it is good. */
  lookUp(name: string): Promise<Known<readonly string[]>> {
    return this.#addresses.lookUp(name, (answered) => {
      this.#resolver.resolve(name, (outcome: ResolvedAddresses | ResolveFailure, more) => {
        answered("code" in outcome ? outcome : { value: outcome.addresses, ttl: outcome.ttl }, more);
      });
    });
  }

  /** SRV records of a service's name; rejects as `resolve` does. */
  lookUpService(name: string): Promise<Known<readonly ServiceRecord[]>> {
    return this.#services.lookUp(name, (answered) => {
      this.#resolver.resolveService(name, (outcome: ResolvedServices | ResolveFailure) => {
        answered("code" in outcome ? outcome : { value: outcome.services, ttl: outcome.ttl });
      });
    });
  }
}

interface Waiter<Value> {
  resolve(known: Known<Value>): void;
  reject(failure: ResolveFailure): void;
}

/** A lookup under way. */
interface Lookup<Value> {
  /** Who waits for it; nobody, where an answer is renewed early or an old one serves. */
  waiters: Waiter<Value>[];
  /** Ends the patience of those who could have an old answer. */
  cancelPatience: (() => void) | undefined;
  /** It is over: they are given it at once. */
  isSlow: boolean;
}

/** One kind of answers. */
class Table<Value> {
  readonly #parts: NameCacheParts;
  readonly #queue: LookupQueue;
  readonly #known = new Map<string, CachedName<Value>>();
  readonly #failed = new Map<string, CachedName<Value>>();
  readonly #lookups = new Map<string, Lookup<Value>>();
  readonly #warned = new Set<string>();
  readonly #counts: ResolverCounts;

  constructor(parts: NameCacheParts, queue: LookupQueue) {
    this.#parts = parts;
    this.#queue = queue;
    this.#counts = parts.counts ?? noLookups();
  }

  lookUp(name: string, ask: Ask<Value>): Promise<Known<Value>> {
    const now = this.#parts.clock.now();
    const entry = this.#touch(name);
    if (entry?.isFresh(now) === true) {
      this.#counts.hits++;
      if (entry.isDue(now)) this.#start(name, ask);
      return answerOf(entry);
    }
    const usable = entry?.isUsable(now) === true;
    if (usable && (entry.stale || this.#lookups.get(name)?.isSlow === true)) {
      // The resolver is known to fail, or to be slow: nobody need wait for that again.
      this.#counts.stale++;
      this.#start(name, ask);
      return answerOf(entry);
    }
    this.#counts.misses++;
    return new Promise((resolve, reject) => {
      if (!this.#start(name, ask, { resolve, reject })) {
        (usable ? answerOf(entry) : Promise.reject(overloaded(name))).then(resolve, reject);
        return;
      }
      const lookup = this.#lookups.get(name);
      if (!usable || lookup === undefined) return;
      lookup.cancelPatience ??= this.#parts.clock.after(PATIENCE, () => {
        lookup.isSlow = true;
        settle(lookup, entry);
      });
    });
  }

  /** The entry of `name`, which now is the last one to be forgotten. */
  #touch(name: string): CachedName<Value> | undefined {
    const entry = this.#known.get(name);
    if (entry === undefined) return this.#failed.get(name);
    this.#known.delete(name);
    this.#known.set(name, entry);
    return entry;
  }

  /** Looks `name` up, unless that is under way, for `waiter` if there is one. False: there are too many lookups. */
  #start(name: string, ask: Ask<Value>, waiter?: Waiter<Value>): boolean {
    const underWay = this.#lookups.get(name);
    if (underWay !== undefined) {
      if (waiter !== undefined) underWay.waiters.push(waiter);
      return true;
    }
    this.#lookups.set(name, {
      waiters: waiter === undefined ? [] : [waiter],
      cancelPatience: undefined,
      isSlow: false,
    });
    const task: LookupTask = (ended) => {
      const began = this.#parts.clock.now();
      ask((outcome, more) => {
        this.#answered(name, outcome);
        // What goes on keeps its place in the queue, as it keeps its sockets.
        if (more !== undefined) return;
        this.#count(outcome, began);
        ended();
      });
    };
    const queued = this.#queue.add(task, this.#known.has(name));
    if (!queued) this.#lookups.delete(name);
    return queued;
  }

  #count(outcome: object, began: number): void {
    this.#counts.lookups++;
    if ("code" in outcome) this.#counts.failures++;
    this.#counts.time += this.#parts.clock.now() - began;
  }

  #answered(name: string, outcome: Parameters<Parameters<Ask<Value>>[0]>[0]): void {
    const { clock, times } = this.#parts;
    const now = clock.now();
    const entry = this.#known.get(name) ?? new CachedName<Value>();
    if ("code" in outcome) entry.failed(outcome, times, now);
    else entry.answered(outcome.value, outcome.ttl, times, now);
    this.#keep(name, entry);
    this.#tell(name, entry);
    const lookup = this.#lookups.get(name);
    this.#lookups.delete(name);
    if (lookup !== undefined) settle(lookup, entry);
  }

  #keep(name: string, entry: CachedName<Value>): void {
    const [table, other, most] =
      entry.value === undefined
        ? ([this.#failed, this.#known, MAX_FAILED_NAMES] as const)
        : ([this.#known, this.#failed, MAX_NAMES] as const);
    other.delete(name);
    table.delete(name);
    table.set(name, entry);
    if (table.size <= most) return;
    for (const oldest of table.keys()) {
      table.delete(oldest);
      this.#warned.delete(oldest);
      return;
    }
  }

  #tell(name: string, { stale, failure }: CachedName<Value>): void {
    const { warn } = this.#parts;
    if (stale) {
      if (this.#warned.has(name) || this.#warned.size >= MAX_WARNED) return;
      this.#warned.add(name);
      warn(`Cannot resolve ${name} again: ${failure?.code}; what it last resolved to is used meanwhile`);
    } else if (this.#warned.delete(name)) {
      const end = `Cannot resolve ${name}: ${failure?.code}; what it last resolved to is no longer used`;
      warn(failure === undefined ? `${name} resolves again` : end);
    }
  }
}

function answerOf<Value>(entry: CachedName<Value>): Promise<Known<Value>> {
  if (entry.value === undefined) return Promise.reject(entry.failure);
  return Promise.resolve({ value: entry.value, freshUntil: entry.freshUntil });
}

function settle<Value>(lookup: Lookup<Value>, entry: CachedName<Value>): void {
  lookup.cancelPatience?.();
  for (const { resolve, reject } of lookup.waiters.splice(0)) answerOf(entry).then(resolve, reject);
}

function overloaded(name: string): ResolveFailure {
  return { code: "EAGAIN", message: `too many lookups wait already to look up ${name}` };
}
