/**
 * One hash table over names, in the memory of a route table: open addressing, the next free slot.
 *
 * Owns: how it is filled. Looking up is the router's, who has the names as text.
 */

import { APEX, ENTRY, EXACT, KIND_MASK, LENGTH_SHIFT, PREFIX, SLOT_WORDS } from "./layout.ts";
import { hashEnd, hashStep } from "./name_hash.ts";

/** A slot farther from its own place than this is worth another seed. */
const FAR = 64;
const SEEDS = [0x3d4d51c3, 0x1b873593, 0x52dce729, 0x38495ab5];

export interface NameIndex {
  /** `SLOT_WORDS` for each. */
  readonly slots: Int32Array;
  readonly farthest: number;
  /** Names that came again. */
  readonly duplicates: number;
}

/** Names that no slot is for are found nowhere. */
export const EMPTY_INDEX: NameIndex = { slots: new Int32Array(0), farthest: -1, duplicates: 0 };

interface Indexes {
  readonly seed: number;
  readonly indexes: readonly NameIndex[];
  readonly farthest: number;
  readonly duplicates: number;
}

/** The hash tables of exact names, suffixes and prefixes, with the seed that suits them. @param places of their entries. */
export function buildIndexes(words: Int32Array, places: readonly Int32Array[]): Indexes {
  let best: Indexes | undefined;
  for (const seed of SEEDS) {
    const indexes = places.map((some) => buildIndex(words, some, seed));
    const farthest = Math.max(...indexes.map((index) => index.farthest));
    const duplicates = indexes.reduce((sum, index) => sum + index.duplicates, 0);
    if (best === undefined || farthest < best.farthest) best = { seed, indexes, farthest, duplicates };
    if (farthest <= FAR) break;
  }
  return best!;
}

function buildIndex(words: Int32Array, places: Int32Array, seed: number): NameIndex {
  if (places.length === 0) return EMPTY_INDEX;
  // At most half full.
  const slots = new Int32Array(SLOT_WORDS * 2 ** Math.ceil(Math.log2(places.length * 2)));
  const bytes = new Uint8Array(words.buffer);
  let [farthest, duplicates] = [0, 0];
  for (const place of places) {
    const distance = insert(slots, hashOf(words, bytes, place, seed), place, words, bytes);
    if (distance === DUPLICATE) duplicates++;
    else if (distance > farthest) farthest = distance;
  }
  return { slots, farthest, duplicates };
}

/** A name came again, as the same kind of pattern. */
const DUPLICATE = -1;

/** @returns how far from its own slot it came to lie, or `DUPLICATE`. */
function insert(slots: Int32Array, hash: number, place: number, words: Int32Array, bytes: Uint8Array): number {
  const mask = slots.length / SLOT_WORDS - 1;
  for (let distance = 0, slot = hash & mask; ; distance++, slot = (slot + 1) & mask) {
    const at = slot * SLOT_WORDS;
    const other = slots[at + 1] as number;
    if (other !== 0 && (slots[at] !== hash || !isSameName(words, bytes, other, place))) continue;
    if (other === 0 || goesBefore(words, place, other)) {
      slots[at] = hash;
      slots[at + 1] = place;
    }
    return other !== 0 && isDuplicate(words, place, other) ? DUPLICATE : distance;
  }
}

/** Of two routes for one name: an exact one goes before `.name`, and so does `*.name` for what is below it. */
function goesBefore(words: Int32Array, place: number, other: number): boolean {
  return ((words[place] as number) & APEX) === 0 || ((words[other] as number) & APEX) !== 0;
}

/** `name` and `.name` stand among the exact names side by side; `*.name` and `.name` have one meaning. */
function isDuplicate(words: Int32Array, place: number, other: number): boolean {
  const [one, two] = [words[place] as number, words[other] as number];
  return (one & KIND_MASK) === (two & KIND_MASK);
}

function hashOf(words: Int32Array, bytes: Uint8Array, place: number, seed: number): number {
  const head = words[place] as number;
  const first = (place + ENTRY.name) * 4;
  const last = first + (head >>> LENGTH_SHIFT) - 1;
  let hash = seed;
  if ((head & KIND_MASK) === PREFIX) {
    for (let at = first; at <= last; at++) hash = hashStep(hash, bytes[at] as number);
  } else {
    for (let at = last; at >= first; at--) hash = hashStep(hash, bytes[at] as number);
  }
  return hashEnd(hash);
}

function isSameName(words: Int32Array, bytes: Uint8Array, one: number, other: number): boolean {
  const length = (words[one] as number) >>> LENGTH_SHIFT;
  if (length !== (words[other] as number) >>> LENGTH_SHIFT) return false;
  const first = (one + ENTRY.name) * 4;
  const second = (other + ENTRY.name) * 4;
  for (let index = 0; index < length; index++) if (bytes[first + index] !== bytes[second + index]) return false;
  return true;
}

/** Whether the entry with this head stands among the exact names. */
export function isExact(head: number): boolean {
  return (head & KIND_MASK) === EXACT || (head & APEX) !== 0;
}
