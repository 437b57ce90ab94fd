/**
 * Remembers what names resolve to, for a moment.
 *
 * Owns: one lookup at a time for one name, and answers kept for a few seconds, so that a burst of connections asks
 * once. Bounded: the oldest answers go first. It must not know DNS: TTLs are not seen here, so it keeps nothing long.
 */

import type { Resolver } from "../host.ts";

/** Milliseconds that addresses are kept, and that a failure is. */
const KEEP = 5_000;
const KEEP_FAILURE = 1_000;
const MAX_NAMES = 10_000;

interface Entry {
  readonly answer: Promise<string[]>;
  /** Infinity while the lookup is under way. */
  expires: number;
}

export class NameCache {
  readonly #resolver: Resolver;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();

  /** @param now monotonic milliseconds. */
  constructor(resolver: Resolver, now: () => number) {
    this.#resolver = resolver;
    this.#now = now;
  }

  /** Addresses of `name`; rejects as `Resolver.resolve` does. */
  resolve(name: string): Promise<string[]> {
    const known = this.#entries.get(name);
    if (known !== undefined && known.expires > this.#now()) return known.answer;
    const entry: Entry = { answer: this.#resolver.resolve(name), expires: Infinity };
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    entry.answer.then(
      () => this.#keep(entry, KEEP),
      () => this.#keep(entry, KEEP_FAILURE),
    );
    if (this.#entries.size > MAX_NAMES) this.#forgetOldest();
    return entry.answer;
  }

  #keep(entry: Entry, duration: number): void {
    entry.expires = this.#now() + duration;
  }

  #forgetOldest(): void {
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}
