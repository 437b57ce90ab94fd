/**
 * The two ways to drive an engine: between the turns of the thread's own JavaScript loop, or instead of it.
 *
 * Owns: when `poll` is called and how long it may sleep.
 */

import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import type { LinuxEngine } from "./engine.ts";

/** Milliseconds without an event during which every turn of the loop looks for one. */
const HOT = 1;
/** Milliseconds without an event after which the engine is looked at less often. */
const IDLE = 500;
const WARM_SLEEP = 1;
const IDLE_SLEEP = 5;

/**
 * Shares the thread: events are looked for in each turn while there are some, and every few milliseconds otherwise.
 * For tests and small programs; a thread of its own (`runForever`) neither waits nor looks in vain. While nothing is
 * open, nothing runs, and the program may end.
 * @returns How to stop.
 */
export function runInTurns(engine: LinuxEngine): () => void {
  let stopped = false;
  let immediate = false;
  let sleep: ReturnType<typeof setTimeout> | undefined;
  let last = performance.now();

  const turn = (): void => {
    immediate = false;
    sleep = undefined;
    if (stopped) return;
    if (engine.poll(0) > 0) last = performance.now();
    if (engine.isActive) schedule(performance.now() - last);
  };
  const schedule = (quiet: number): void => {
    if (quiet >= HOT) {
      sleep = setTimeout(turn, quiet < IDLE ? WARM_SLEEP : IDLE_SLEEP);
    } else if (!immediate) {
      immediate = true;
      setImmediate(turn);
    }
  };
  const nudged = (): void => {
    if (stopped) return;
    clearTimeout(sleep);
    last = performance.now();
    schedule(0);
  };
  engine.onNudge = nudged;
  nudged();
  return () => {
    stopped = true;
    clearTimeout(sleep);
    engine.onNudge = () => {};
  };
}

/**
 * Gives the thread to the engine: it sleeps in `epoll_wait` and does nothing else, until `isOver` says so. The
 * thread's own loop stands still, so no timer and no `message` event comes. After each wake, `onWake` is called (drain
 * the message port in it), and then that loop gets one turn, so that promises which the messages settled go on.
 */
export async function runForever(engine: LinuxEngine, onWake: () => void, isOver: () => boolean): Promise<void> {
  let woken = true;
  engine.onWake = () => {
    woken = true;
  };
  while (!isOver()) {
    if (woken) {
      woken = false;
      onWake();
      await new Promise<void>((resolve) => setImmediate(resolve));
      continue;
    }
    engine.poll(-1);
  }
}
