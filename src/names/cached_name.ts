/**
 * What is known of one name: its last answer, for how long it is fresh, and for how long it is better than none.
 *
 * Owns: the instants (RFC 2308 for what is not there, RFC 8767 for what is old). It must not look anything up.
 */

import type { ResolveFailure } from "../host.ts";

/** Bounds in milliseconds. */
export interface CacheTimes {
  /** However short a TTL is, and however long. */
  readonly minTtl: number;
  readonly maxTtl: number;
  /** For how long an answer is used beyond its TTL while nobody can say a newer one; 0: not at all. */
  readonly staleFor: number;
}

/** Where the system tells no TTL. */
const UNKNOWN_TTL = 5_000;
/** That there is no such name is believed so long at most (RFC 2308 §5 allows hours; a name may be made meanwhile). */
const MAX_NEGATIVE_TTL = 300_000;
const UNKNOWN_NEGATIVE_TTL = 2_000;
/** A failure is not asked about again for so long (RFC 9520 §3.2: one second at least); longer where an old answer serves. */
const FAILURE_TTL = 1_000;
const STALE_RETRY = 5_000;
/** The part of its TTL after which an answer that is asked for is renewed. */
const RENEW_AFTER = 0.8;
/** An answer that lives shorter is not renewed early: it would be asked for all the time. */
const MIN_RENEWABLE = 5_000;

export class CachedName<Value> {
  /** The last good answer. */
  value: Value | undefined;
  /** Why there is none. */
  failure: ResolveFailure | undefined;
  /** The last lookup failed, and `value` is older than its TTL. */
  stale = false;
  freshUntil = 0;
  #renewAt = 0;
  #usableUntil = 0;

  answered(value: Value, ttl: number | undefined, times: CacheTimes, now: number): void {
    const kept = Math.min(times.maxTtl, Math.max(times.minTtl, ttl ?? UNKNOWN_TTL));
    this.value = value;
    this.failure = undefined;
    this.stale = false;
    this.freshUntil = now + kept;
    this.#renewAt = kept < MIN_RENEWABLE ? Infinity : now + kept * RENEW_AFTER;
    this.#usableUntil = this.freshUntil + times.staleFor;
  }

  failed(failure: ResolveFailure, times: CacheTimes, now: number): void {
    this.#renewAt = Infinity;
    if (failure.code === "ENOTFOUND") {
      // Somebody who knows has said so: the old answer is over (RFC 8767 §4).
      const most = Math.min(times.maxTtl, MAX_NEGATIVE_TTL);
      this.#forget(failure, now + Math.min(most, Math.max(times.minTtl, failure.ttl ?? UNKNOWN_NEGATIVE_TTL)));
    } else if (!this.isUsable(now)) this.#forget(failure, now + FAILURE_TTL);
    else if (now < this.freshUntil) this.#renewAt = now + STALE_RETRY;
    else {
      this.stale = true;
      this.failure = failure;
      this.freshUntil = now + STALE_RETRY;
    }
  }

  isFresh(now: number): boolean {
    return now < this.freshUntil;
  }

  /** It is fresh, and old enough to be asked for again. */
  isDue(now: number): boolean {
    return now >= this.#renewAt;
  }

  /** There is an answer, be it old. */
  isUsable(now: number): boolean {
    return this.value !== undefined && now < this.#usableUntil;
  }

  #forget(failure: ResolveFailure, until: number): void {
    this.value = undefined;
    this.stale = false;
    this.failure = failure;
    this.freshUntil = until;
  }
}
