/**
 * Open connections and the pace of new ones, for each client, exact over all workers.
 *
 * Owns: a table of fixed size in shared memory: buckets of 16 slots, each bucket under its own lock. A slot is free
 * when its client has no connection open and its whole burst again. Where a bucket has none, the client with the
 * most of its burst and no connection is forgotten; where all have connections, the new client passes uncounted.
 *
 * The pace is a token bucket, kept as the one instant at which it will be full (the generic cell rate algorithm,
 * ITU-T I.371). Workers' monotonic clocks differ, so the instants are wall time; one that lies much further ahead than
 * a burst can take comes from a clock that was set back, and counts as past.
 */

import { lockOwner, release, withLock } from "../shared_lock.ts";
import { type ClientKey, hashKey } from "./client_key.ts";
import { BUCKET_SLOTS, type LimitsMemory, layout } from "./limits_memory.ts";

/**
 * Milliseconds. By less than that, a connection was accepted before others and judged after them: by another worker, or
 * with a PROXY header that came late.
 */
const CLOCK_SET_BACK = 60_000;

export interface ClientLimits {
  /** Open connections at once. */
  readonly perClient: number | undefined;
  /** New ones in a second. */
  readonly newPerSecond: number | undefined;
  /** Of those, at once. */
  readonly burst: number;
}

/** `uncounted`: admitted, since there was no room to count it. */
export type ClientVerdict = "admitted" | "uncounted" | "per_client_limit" | "new_per_second_limit";

export class ClientTable {
  readonly #memory: LimitsMemory;
  readonly #worker: number;
  readonly #owner: number;
  readonly #perClient: number;
  /** Milliseconds between two connections at an even pace; 0: any pace will do. */
  readonly #interval: number;
  readonly #burst: number;
  readonly #times: Float64Array;
  readonly #keys: Int32Array;
  readonly #counts: Int32Array;
  readonly #locks: Int32Array;

  /** @param worker whose connections are counted by this object. */
  constructor(memory: LimitsMemory, worker: number, { perClient, newPerSecond, burst }: ClientLimits) {
    const { buffer, workers, buckets } = memory;
    const at = layout(workers, buckets);
    const slots = buckets * BUCKET_SLOTS;
    this.#memory = memory;
    this.#worker = worker;
    this.#owner = lockOwner(worker);
    this.#perClient = perClient ?? Infinity;
    this.#interval = newPerSecond === undefined ? 0 : 1000 / newPerSecond;
    this.#burst = burst;
    this.#times = new Float64Array(buffer, at.times, slots);
    this.#keys = new Int32Array(buffer, at.keys, 2 * slots);
    this.#counts = new Int32Array(buffer, at.counts, slots * workers);
    this.#locks = new Int32Array(buffer, at.locks, buckets);
  }

  /**
   * A client's connection begins at `at`, ms of wall time. If it was counted, `leave` must follow.
   * @param dryRun it is counted even if it is over a limit.
   */
  enter(key: ClientKey, at: number, dryRun: boolean): ClientVerdict {
    const bucket = this.#bucket(key);
    return withLock(this.#locks, bucket, this.#owner, () => this.#enter(key, bucket, at, dryRun));
  }

  /** Only for a connection that was counted: its client has kept its slot. */
  leave(key: ClientKey): void {
    const bucket = this.#bucket(key);
    withLock(this.#locks, bucket, this.#owner, () => {
      const own = this.#find(key, bucket) * this.#memory.workers + this.#worker;
      this.#counts[own] = (this.#counts[own] as number) - 1;
    });
  }

  /** That worker is gone, and its connections with it. */
  forget(worker: number): void {
    const { workers, buckets } = this.#memory;
    for (let bucket = 0; bucket < buckets; bucket++) {
      release(this.#locks, bucket, lockOwner(worker));
      withLock(this.#locks, bucket, this.#owner, () => {
        for (let i = 0; i < BUCKET_SLOTS; i++) this.#counts[(bucket * BUCKET_SLOTS + i) * workers + worker] = 0;
      });
    }
  }

  #bucket(key: ClientKey): number {
    return hashKey(key, this.#memory.seed) & (this.#memory.buckets - 1);
  }

  #enter(key: ClientKey, bucket: number, at: number, dryRun: boolean): ClientVerdict {
    let slot = this.#find(key, bucket);
    if (slot < 0) slot = this.#take(key, bucket);
    if (slot < 0) return "uncounted";
    const verdict = this.#judge(slot, at);
    const { workers } = this.#memory;
    const own = slot * workers + this.#worker;
    if (verdict === "admitted" || dryRun) this.#counts[own] = (this.#counts[own] as number) + 1;
    return verdict;
  }

  #judge(slot: number, at: number): ClientVerdict {
    if (this.#open(slot) >= this.#perClient) return "per_client_limit";
    if (this.#interval === 0) return "admitted";
    const longest = this.#burst * this.#interval;
    const full = this.#times[slot] as number;
    const wait = full > at + longest + CLOCK_SET_BACK ? 0 : Math.max(0, full - at);
    // A thousandth of an interval is left to the rounding of sums.
    if (wait > longest - 0.999 * this.#interval) return "new_per_second_limit";
    this.#times[slot] = at + wait + this.#interval;
    return "admitted";
  }

  #find({ high, low }: ClientKey, bucket: number): number {
    const end = (bucket + 1) * BUCKET_SLOTS;
    for (let slot = bucket * BUCKET_SLOTS; slot < end; slot++) {
      if (this.#keys[2 * slot] === high && this.#keys[2 * slot + 1] === low) return slot;
    }
    return -1;
  }

  /** The slot of a bucket that its owner needs least, for a new client; -1 where all have connections. */
  #take({ high, low }: ClientKey, bucket: number): number {
    const end = (bucket + 1) * BUCKET_SLOTS;
    let taken = -1;
    for (let slot = bucket * BUCKET_SLOTS; slot < end; slot++) {
      if (this.#open(slot) > 0) continue;
      if (taken < 0 || (this.#times[slot] as number) < (this.#times[taken] as number)) taken = slot;
    }
    if (taken < 0) return -1;
    this.#times[taken] = 0;
    this.#keys[2 * taken] = high;
    this.#keys[2 * taken + 1] = low;
    return taken;
  }

  /** Connections of a slot's client, in all workers. */
  #open(slot: number): number {
    const { workers } = this.#memory;
    let sum = 0;
    for (let worker = 0; worker < workers; worker++) sum += this.#counts[slot * workers + worker] as number;
    return sum;
  }
}
