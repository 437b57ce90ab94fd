/**
 * Several listening sockets of one address as one listener.
 *
 * Owns: nothing: the adapter's listeners do the work.
 */

import type { Listener } from "../../src/adapter.ts";

/** @param listeners at least one. */
export function joinListeners(listeners: readonly Listener[]): Listener {
  const [first] = listeners;
  if (first === undefined) throw new RangeError("Cannot join listeners: there are none");
  if (listeners.length === 1) return first;
  return {
    endpoint: first.endpoint,
    pause() {
      for (const listener of listeners) listener.pause();
    },
    resume() {
      for (const listener of listeners) listener.resume();
    },
    close() {
      for (const listener of listeners) listener.close();
    },
  };
}
