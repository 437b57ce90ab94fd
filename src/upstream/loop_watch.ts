/**
 * Finds connections that come back to the listener that sent them out, through however many hops.
 *
 * Owns: the memory of what is under way: the random bytes of ClientHellos, which every hop passes on untouched and no
 * two clients share, and, for HTTP, our own ends of connections to servers. Bounded: the oldest is forgotten first. Each
 * worker has its own; a loop that goes round through N workers meets one of them again at the N+1st turn at the latest.
 */

/** What is remembered for each listener. */
export const MAX_REMEMBERED = 4096;

export class LoopWatch {
  readonly #keys = new Set<string>();

  /** Remembers `key`; false: it is there already. */
  enter(key: string): boolean {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    if (this.#keys.size > MAX_REMEMBERED) this.#forgetOldest();
    return true;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  leave(key: string): void {
    this.#keys.delete(key);
  }

  get size(): number {
    return this.#keys.size;
  }

  #forgetOldest(): void {
    for (const oldest of this.#keys) {
      this.#keys.delete(oldest);
      return;
    }
  }
}
