/**
 * The clock of all adapters that live in the runtime's own event loop.
 *
 * Owns: `systemClock`. It compiles without any runtime's types: the three globals it uses exist on all of them.
 */

import type { Clock } from "../src/adapter.ts";

declare const performance: { now(): number };
declare function setTimeout(task: () => void, delay: number): unknown;
declare function clearTimeout(timer: unknown): void;

/** What fits a timer: a longer delay would be taken for 1 ms. */
const MAX_DELAY = 2 ** 31 - 1;

/** Monotonic time, wall time and timers of this event loop. A delay over 24.8 days ends at 24.8 days. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(delay, task) {
    const timer = setTimeout(task, Math.min(Math.max(delay, 0), MAX_DELAY));
    return () => clearTimeout(timer);
  },
};
