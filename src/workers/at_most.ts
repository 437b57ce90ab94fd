/** Waiting for something, but not for ever. */

import type { Clock } from "../adapter.ts";

/** Until `done` resolves, at most `time` ms. */
export function atMost(clock: Pick<Clock, "after">, time: number, done: Promise<unknown>): Promise<void> {
  return new Promise<void>((resolve) => {
    const cancel = clock.after(time, resolve);
    void done.then(() => {
      cancel();
      resolve();
    });
  });
}
