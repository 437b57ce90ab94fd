/**
 * A lock for a few instructions, in memory that threads share.
 *
 * Owns: waiting for it, and whose it is: who is gone must not keep it. Whoever holds it must not wait. The word is 0 while
 * it is free, else the holder's number.
 */

/** Looks at the lock before a thread lays itself to sleep. */
const SPINS = 200;
/** Sleeps, of a millisecond each, after which the holder counts as dead: a thread can be ended anywhere. */
const SLEEPS = 500;

/** The number under which a worker holds locks; the control plane, which is no worker, has -1. Never 0. */
export function lockOwner(worker: number): number {
  return worker + 2;
}

/** Waits until no other thread has it. */
export function acquire(words: Int32Array, at: number, owner: number): void {
  for (let spin = 0; spin < SPINS; spin++) if (Atomics.compareExchange(words, at, 0, owner) === 0) return;
  for (let sleep = 0; sleep < SLEEPS; sleep++) {
    const holder = Atomics.compareExchange(words, at, 0, owner);
    if (holder === 0) return;
    // All three runtimes allow it in the main thread, too.
    Atomics.wait(words, at, holder, 1);
  }
  Atomics.store(words, at, owner);
}

/** Gives it back, unless somebody took this holder for dead. */
export function release(words: Int32Array, at: number, owner: number): void {
  Atomics.compareExchange(words, at, owner, 0);
}

/** Runs `task` while no other thread runs one under the same word. */
export function withLock<T>(words: Int32Array, at: number, owner: number, task: () => T): T {
  acquire(words, at, owner);
  try {
    return task();
  } finally {
    release(words, at, owner);
  }
}
