/**
 * The addresses of this machine's interfaces, which come and go.
 *
 * Owns: looking again now and then, and telling when they have changed.
 */

import type { Clock } from "../adapter.ts";

/** Milliseconds. */
export const LOOK_EVERY = 30_000;

export interface OwnAddressesParts {
  readonly clock: Pick<Clock, "after">;
  read(): readonly string[];
  changed(addresses: readonly string[]): void;
}

export class OwnAddresses {
  readonly #parts: OwnAddressesParts;
  #known = "";
  #cancel: () => void = () => {};

  constructor(parts: OwnAddressesParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#known = this.#parts.read().toSorted().join();
    this.#schedule();
  }

  stop(): void {
    this.#cancel();
  }

  #schedule(): void {
    this.#cancel = this.#parts.clock.after(LOOK_EVERY, () => {
      this.#look();
      this.#schedule();
    });
  }

  #look(): void {
    const addresses = this.#parts.read();
    const text = addresses.toSorted().join();
    if (text === this.#known) return;
    this.#known = text;
    this.#parts.changed(addresses);
  }
}
