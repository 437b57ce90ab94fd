/**
 * The client's first bytes, kept until they are routed.
 *
 * Owns: one growing buffer of a connection, and the account of all such buffers in a process. It must not parse.
 */

/** How many bytes all prereads of a process may hold together. */
export class PrereadBudget {
  /** Bytes. */
  limit: number;
  #held = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** Books `bytes`; false, and nothing is booked, where the limit would be passed. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.limit) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

const EMPTY = new Uint8Array(0);

export class PrereadBuffer {
  readonly #budget: PrereadBudget;
  #storage: Uint8Array = EMPTY;
  #length = 0;

  constructor(budget: PrereadBudget) {
    this.#budget = budget;
  }

  /** All bytes so far; the view is valid until the next `append`. */
  get bytes(): Uint8Array {
    const { length } = this.#storage;
    return this.#length === length ? this.#storage : this.#storage.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  /** Copies `bytes` in; false where the process' budget does not allow it. */
  append(bytes: Uint8Array): boolean {
    const needed = this.#length + bytes.length;
    if (needed > this.#storage.length) {
      // The first chunk is mostly the whole message: exactly its size. Later ones grow by half,
      // so that a drip costs linear time, and what is booked is not much more than what is held.
      const capacity = this.#length === 0 ? needed : Math.max(needed, Math.ceil(1.5 * this.#storage.length));
      if (!this.#budget.take(capacity - this.#storage.length)) return false;
      const grown = new Uint8Array(capacity);
      grown.set(this.bytes);
      this.#storage = grown;
    }
    this.#storage.set(bytes, this.#length);
    this.#length = needed;
    return true;
  }

  /** Lets go of the bytes; views taken before stay valid for whoever holds them. */
  release(): void {
    this.#budget.give(this.#storage.length);
    this.#storage = EMPTY;
    this.#length = 0;
  }
}

/** Both, one behind the other; without a copy where the first is empty. */
export function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
