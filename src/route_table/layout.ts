/**
 * How a route table lies in its memory: 32-bit words, the machine's byte order, since it never leaves the process.
 *
 * Header, then one entry for each route in file order, then what routes say beyond their patterns (each distinct one
 * once), then three hash tables over names, then two lists. Whatever points at something is a word's number.
 */

/** Words of the header, by number. */
export const HEADER = {
  /** Of the first entry, and behind the last. */
  entries: 0,
  entriesEnd: 1,
  /** Of a list with the place of each content. */
  contents: 2,
  /** Hash tables: three words each, `INDEX`. */
  exact: 3,
  suffix: 6,
  prefix: 9,
  /** What all hashes begin with. */
  seed: 12,
  /** Lists: the place of the first item, and how many there are. */
  regexes: 13,
  regexCount: 14,
  noted: 15,
  notedCount: 16,
  length: 17,
} as const;

/** Of a hash table: the place of its first slot, how many slots less one, and how far a name may lie from its own slot (-1: it is empty). */
export const INDEX = { slots: 0, mask: 1, farthest: 2 } as const;

/** A slot: the hash, and the place of the entry (0: free). */
export const SLOT_WORDS = 2;

/** An entry: flags and the name's length, the number of its content, its line; then the name, then the text where it has one of its own. */
export const ENTRY = { head: 0, content: 1, line: 2, name: 3 } as const;

/** The lowest bits of an entry's head; the name's length lies above them. */
export const KIND_MASK = 3;
export const KINDS = ["exact", "suffix", "prefix", "regex"] as const;
export const EXACT = 0;
export const SUFFIX = 1;
export const PREFIX = 2;
export const REGEX = 3;
/** A `suffix` that also holds the name itself. */
export const APEX = 4;
/** The text is not what the pattern would be written as. */
export const OWN_TEXT = 8;
/** The name has characters beyond Latin-1: two bytes for each. */
export const WIDE = 16;
export const LENGTH_SHIFT = 5;

/** A text that stands alone: one word with its length, twice, and 1 where it is wide; then its characters. */
export function textWords(length: number, isWide: boolean): number {
  return isWide ? (length + 1) >>> 1 : (length + 3) >>> 2;
}
