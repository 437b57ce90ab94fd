/**
 * Tells when a file has changed.
 *
 * Owns: looking now and then, and patience: a file that is being written, or is away while an editor replaces it, is left
 * alone until it stays as it is. An included file may be gone for good; the first one has to come back. By looking, since that holds on every file system and through symbolic links.
 */

import type { Clock } from "../adapter.ts";

/** Milliseconds. */
export const LOOK_EVERY = 1_000;

export interface FileWatchParts {
  readonly clock: Pick<Clock, "after">;
  /** The files, the one that includes the others first; asked for at each look. */
  paths(): readonly string[];
  /** What is different once a file has changed; undefined: it is not there. */
  stamp(path: string): string | undefined;
  changed(): void;
}

export class FileWatch {
  readonly #parts: FileWatchParts;
  /** What was there when it was last told, or began. */
  #known: string | undefined;
  /** What was there at the last look. */
  #last: string | undefined;
  #cancel: (() => void) | undefined;

  constructor(parts: FileWatchParts) {
    this.#parts = parts;
  }

  /** Begins to look, or ends it; a change is one since the beginning. */
  set isOn(on: boolean) {
    if (on === (this.#cancel !== undefined)) return;
    this.#cancel?.();
    this.#cancel = undefined;
    if (!on) return;
    this.#known = this.#stamps();
    this.#last = this.#known;
    this.#schedule();
  }

  /** What is there now is what is in use. */
  settled(): void {
    if (this.#cancel === undefined) return;
    this.#known = this.#stamps();
    this.#last = this.#known;
  }

  #schedule(): void {
    this.#cancel = this.#parts.clock.after(LOOK_EVERY, () => {
      this.#schedule();
      this.#look();
    });
  }

  #look(): void {
    const before = this.#last;
    const now = this.#stamps();
    this.#last = now;
    if (now === undefined || now === this.#known || now !== before) return;
    this.#known = now;
    this.#parts.changed();
  }

  /** Undefined where the first one is missing. */
  #stamps(): string | undefined {
    const paths = this.#parts.paths();
    const stamps = paths.map((path) => this.#parts.stamp(path));
    if (paths.length > 0 && stamps[0] === undefined) return undefined;
    return paths.map((path, index) => `${path} ${stamps[index] ?? "is gone"}`).join("\n");
  }
}
