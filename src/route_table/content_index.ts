/**
 * Texts, each kept once, with a number for each: a hash table over their characters in one area of memory.
 *
 * A `Map` of a million short texts takes ten times the memory, and most of the time in which a file is read.
 */

import { hashEnd, hashStep } from "./name_hash.ts";
import { WordArea } from "./word_area.ts";

const FIRST_SLOTS = 1024;

export class ContentIndex {
  /** The texts, one behind the other. */
  readonly area = new WordArea();
  /** Where each text begins, by its number. */
  readonly places = new WordArea();
  /** For each slot the hash, and the number and 1; 0: it is free. */
  #slots = new Int32Array(2 * FIRST_SLOTS);

  get size(): number {
    return this.places.length;
  }

  /** The number of `text`; one that is new gets the next. */
  numberOf(text: string): number {
    const hash = hashOf(text);
    const slot = this.#slotOf(hash, text);
    const known = this.#slots[slot + 1] as number;
    if (known !== 0) return known - 1;
    const number = this.size;
    this.places.push(this.area.length);
    this.area.pushText(text);
    this.#slots[slot] = hash;
    this.#slots[slot + 1] = number + 1;
    if (4 * this.size > this.#slots.length) this.#grow();
    return number;
  }

  /** Where it is, or may be put. */
  #slotOf(hash: number, text: string): number {
    const slots = this.#slots;
    const last = slots.length - 1;
    for (let slot = (hash << 1) & last; ; slot = (slot + 2) & last) {
      const number = slots[slot + 1] as number;
      if (number === 0 || (slots[slot] === hash && this.area.holdsText(this.places.words[number - 1] as number, text)))
        return slot;
    }
  }

  #grow(): void {
    const former = this.#slots;
    const slots = new Int32Array(2 * former.length);
    const last = slots.length - 1;
    for (let from = 0; from < former.length; from += 2) {
      if (former[from + 1] === 0) continue;
      let slot = ((former[from] as number) << 1) & last;
      while (slots[slot + 1] !== 0) slot = (slot + 2) & last;
      slots[slot] = former[from] as number;
      slots[slot + 1] = former[from + 1] as number;
    }
    this.#slots = slots;
  }
}

function hashOf(text: string): number {
  let hash = text.length;
  for (let at = 0; at < text.length; at++) hash = hashStep(hash, text.charCodeAt(at));
  return hashEnd(hash);
}
