/**
 * The memory that limits need, shared by all workers of a process.
 *
 * Owns: its size and its layout. It never grows: however many clients there are, this is what they take.
 */

import type { Seed } from "./client_key.ts";

/** Plain data: it goes to each worker in a message. */
export interface LimitsMemory {
  readonly buffer: SharedArrayBuffer;
  readonly seed: Seed;
  readonly workers: number;
  /** A power of two; 0: clients are not told apart. */
  readonly buckets: number;
}

/** Clients that one bucket has room for. */
export const BUCKET_SLOTS = 16;
const MIN_BUCKETS = 64;
const MAX_BUCKETS = 65_536;

/**
 * So many slots that buckets are a quarter full at most when every connection is another client's: with places given
 * by chance, one client in a million then finds its bucket full.
 */
const SLOTS_FOR_CONNECTION = 4;

export interface MemoryOptions {
  readonly workers: number;
  /** Open connections at most. */
  readonly connectionLimit: number;
  /** Clients are told apart. */
  readonly perClient: boolean;
  /** Uniform in [0, 1), not to be guessed. */
  readonly random: () => number;
}

export function createLimitsMemory({ workers, connectionLimit, perClient, random }: MemoryOptions): LimitsMemory {
  const wanted = (SLOTS_FOR_CONNECTION * connectionLimit) / BUCKET_SLOTS;
  let buckets = perClient ? MIN_BUCKETS : 0;
  while (perClient && buckets < wanted && buckets < MAX_BUCKETS) buckets *= 2;
  const word = (): number => Math.floor(random() * 2 ** 32) | 0;
  return { buffer: new SharedArrayBuffer(layout(workers, buckets).bytes), seed: [word(), word()], workers, buckets };
}

interface Layout {
  /** Float64: when a slot's client has its whole burst again. */
  readonly times: number;
  /** Int32, two for each slot. */
  readonly keys: number;
  /** Int32, one for each slot and worker. */
  readonly counts: number;
  /** Int32, one for each bucket. */
  readonly locks: number;
  /** Int32, one for each worker. */
  readonly handshakes: number;
  readonly bytes: number;
}

/** Where each part begins, in bytes. */
export function layout(workers: number, buckets: number): Layout {
  const slots = buckets * BUCKET_SLOTS;
  const keys = 8 * slots;
  const counts = keys + 8 * slots;
  const locks = counts + 4 * slots * workers;
  const handshakes = locks + 4 * buckets;
  return { times: 0, keys, counts, locks, handshakes, bytes: handshakes + 4 * workers };
}
