/**
 * A lock for a few instructions, in memory that threads share.
 *
 * Owns: waiting for it. Whoever holds it must not throw and must not wait.
 */

/** Looks at the lock before a thread lays itself to sleep. */
const SPINS = 500;
/** Sleeps, of a millisecond each, after which the holder counts as dead: a thread can be ended anywhere. */
const SLEEPS = 1_000;

/** Runs `task` while no other thread runs one under the same word, which is 0 while it is free. */
export function withLock<T>(words: Int32Array, at: number, task: () => T): T {
  acquire(words, at);
  const result = task();
  Atomics.store(words, at, 0);
  return result;
}

function acquire(words: Int32Array, at: number): void {
  for (let spin = 0; spin < SPINS; spin++) if (Atomics.compareExchange(words, at, 0, 1) === 0) return;
  for (let sleep = 0; sleep < SLEEPS; sleep++) {
    if (Atomics.compareExchange(words, at, 0, 1) === 0) return;
    Atomics.wait(words, at, 1, 1);
  }
}
