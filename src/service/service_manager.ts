/**
 * The conversation with the service manager: sd_notify(3).
 *
 * Owns: what it is told and when, the watchdog's signs of life among it. A worker that hangs must end them, so that the
 * service manager starts the service anew. Without a service manager, every method does nothing.
 */

import type { Clock } from "../adapter.ts";
import type { Notifier } from "../system.ts";

export interface ServiceManagerParts {
  readonly notifier: Notifier | undefined;
  readonly clock: Pick<Clock, "after">;
  warn(message: string): void;
}

export class ServiceManager {
  readonly #parts: ServiceManagerParts;
  #cancel: () => void = () => {};
  #hanging = false;

  constructor(parts: ServiceManagerParts) {
    this.#parts = parts;
  }

  /**
   * It serves. From now on signs of life are given.
   * @param alive every thread has answered since it was last called.
   */
  ready(status: string, alive: () => boolean): void {
    this.#send("READY=1", statusLine(status));
    const every = this.#parts.notifier?.watchdog;
    if (every !== undefined) this.#watch(every / 2, alive);
  }

  /** A new configuration is being read; `ready` or `reloaded` ends it. */
  reloading(): void {
    const now = this.#parts.notifier?.monotonic();
    this.#send("RELOADING=1", ...(now === undefined ? [] : [`MONOTONIC_USEC=${now}`]));
  }

  /** `reloading` is over, whether the new configuration is in force or the old one. */
  reloaded(status: string): void {
    this.#send("READY=1", statusLine(status));
  }

  stopping(status: string): void {
    this.#send("STOPPING=1", statusLine(status));
  }

  status(status: string): void {
    this.#send(statusLine(status));
  }

  close(): void {
    this.#cancel();
  }

  #watch(interval: number, alive: () => boolean): void {
    // The first one asks; nobody can have answered yet.
    alive();
    this.#send("WATCHDOG=1");
    const again = (): void => {
      this.#cancel = this.#parts.clock.after(interval, () => {
        this.#tellOfLife(alive());
        again();
      });
    };
    again();
  }

  #tellOfLife(isAlive: boolean): void {
    if (isAlive) this.#send("WATCHDOG=1");
    else if (!this.#hanging) this.#parts.warn("a worker does not answer; the service manager gets no sign of life");
    this.#hanging = !isAlive;
  }

  #send(...lines: string[]): void {
    this.#parts.notifier?.send(lines);
  }
}

/** One line, whatever is in it. */
function statusLine(text: string): string {
  return `STATUS=${text.replace(/\p{Cc}+/gu, " ")}`;
}
