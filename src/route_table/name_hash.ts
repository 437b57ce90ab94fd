/**
 * Hashes of names, made so that one walk over a name gives those of all its ends, or of all its beginnings.
 *
 * They are not to keep anybody out: the names in a table come from the operator, and a look-up ends after a bounded number
 * of slots whatever name it is for.
 */

const FACTOR = 0x2c1b3c6d;

/** The next character's code; ends are walked from the last to the first, beginnings from the first. */
export function hashStep(hash: number, code: number): number {
  return (Math.imul(hash, FACTOR) + code) | 0;
}

/** Spreads what the steps have come to over all bits. */
export function hashEnd(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b) ^ (mixed >>> 16);
}
