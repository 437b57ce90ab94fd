/**
 * Chance for balancing: cheap, seeded, and good enough to spread load. Not for secrets.
 */

const GOLDEN = 0x9e3779b1;

/** Numbers from 0 up to 1 (xorshift, 32 bits). @param seed any number; different ones give different sequences. */
export function createRandom(seed: number): () => number {
  let state = Math.imul((Math.floor(seed) ^ Math.floor(seed / 2 ** 32)) + 1, GOLDEN) || GOLDEN;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
