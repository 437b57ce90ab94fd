/** How often to look whether a relay moves: precise enough, and rare. */

/** Milliseconds between two looks, at most. */
const LONGEST = 15_000;

/** Milliseconds until the next look. @param idleTimeout milliseconds without a byte after which a relay ends. */
export function idleCheck(idleTimeout: number): number {
  return Math.min(LONGEST, Math.max(1, idleTimeout / 4));
}
