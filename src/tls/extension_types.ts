/**
 * The set of extension types seen in one hello, to refuse a second of one type (RFC 8446 4.2).
 *
 * Made to be used again for the next hello: nothing is allocated for the usual ones, low numbers and a few others, and
 * a type takes constant time however many there are.
 */

/** High numbers that are compared one by one; beyond that many it takes a set. */
const FEW = 8;

export class ExtensionTypes {
  #below32 = 0;
  #below64 = 0;
  readonly #few: number[] = new Array(FEW).fill(0);
  #count = 0;
  #others: Set<number> | undefined;

  /** Forgets all. */
  clear(): void {
    this.#below32 = 0;
    this.#below64 = 0;
    this.#count = 0;
    this.#others = undefined;
  }

  /** Adds `type`; `false` if it was there. */
  add(type: number): boolean {
    if (type >= 64) return this.#addHigh(type);
    const bit = 1 << (type & 31);
    const seen = type < 32 ? this.#below32 : this.#below64;
    if (type < 32) this.#below32 |= bit;
    else this.#below64 |= bit;
    return (seen & bit) === 0;
  }

  #addHigh(type: number): boolean {
    for (let index = 0; index < this.#count; index++) if (this.#few[index] === type) return false;
    if (this.#count < FEW) {
      this.#few[this.#count++] = type;
      return true;
    }
    this.#others ??= new Set();
    const before = this.#others.size;
    return this.#others.add(type).size > before;
  }
}
