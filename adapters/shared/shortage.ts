/**
 * That accepting fails, told once.
 *
 * Owns: what counts as one episode: failures with less than ten seconds between them, however many clients were
 * accepted in between.
 */

import type { Clock, ListenOptions } from "../../src/adapter.ts";

/** Milliseconds without a failure after which the next one is told again. */
const QUIET = 10_000;

export class Shortage {
  readonly #clock: Pick<Clock, "now">;
  readonly #tell: ListenOptions["acceptFailed"];
  #last = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, "now">, tell: ListenOptions["acceptFailed"]) {
    this.#clock = clock;
    this.#tell = tell;
  }

  failed(code: string): void {
    const now = this.#clock.now();
    if (now - this.#last > QUIET) this.#tell?.(code);
    this.#last = now;
  }
}
