/**
 * Writing to a descriptor until all is written: for a terminal's few lines, and for what is left at exit.
 *
 * Owns: patience with a reader that takes nothing. It blocks the thread, so it is not for the data plane.
 */

import { writeSync } from "node:fs";
import { toIoError } from "../shared/io_error.ts";

/** Milliseconds in all for a reader that takes nothing. */
const PATIENCE = 2000;
const RETRY = 5;

/** Writes all of `bytes`, or gives up silently: the reader is gone (`EPIPE`), or took nothing for two seconds. */
export function writeBlocking(descriptor: number, bytes: Uint8Array): void {
  let rest = bytes;
  for (let patience = PATIENCE; rest.length > 0 && patience > 0; ) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      if (toIoError(error).code !== "EAGAIN") return;
      patience -= RETRY;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY);
    }
  }
}
