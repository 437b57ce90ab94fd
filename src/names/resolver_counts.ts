/** What is counted of names that are asked for, and of the lookups that this takes. */

export interface ResolverCounts {
  /** Answers from memory: good ones, and old ones for want of a new one. */
  hits: number;
  stale: number;
  /** Names that had to wait for a lookup. */
  misses: number;
  /** Lookups that have ended, those of them that failed, and how long all took together, ms. */
  lookups: number;
  failures: number;
  time: number;
}

export function noLookups(): ResolverCounts {
  return { hits: 0, stale: 0, misses: 0, lookups: 0, failures: 0, time: 0 };
}
