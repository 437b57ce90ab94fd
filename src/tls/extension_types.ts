/**
 * The set of extension types seen in one hello, to refuse a second of one type (RFC 8446 4.2).
 *
 * Constant time per type however many there are; nothing is allocated for the usual, low ones.
 */
export class ExtensionTypes {
  #below32 = 0;
  #below64 = 0;
  #others: Set<number> | undefined;

  /** Adds `type`; `false` if it was there. */
  add(type: number): boolean {
    const bit = 1 << (type & 31);
    if (type < 32) {
      const fresh = (this.#below32 & bit) === 0;
      this.#below32 |= bit;
      return fresh;
    }
    if (type < 64) {
      const fresh = (this.#below64 & bit) === 0;
      this.#below64 |= bit;
      return fresh;
    }
    this.#others ??= new Set();
    const before = this.#others.size;
    return this.#others.add(type).size > before;
  }
}
