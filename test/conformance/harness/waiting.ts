/**
 * Waiting for a condition, with a deadline: there is no other way to wait in this suite.
 */

import { after } from "node:test";

/** Milliseconds that anything on loopback may take before it counts as not happening. */
export const DEADLINE = 10_000;

/** Whatever collects things to be ended: a test, or a suite through `suiteScope`. */
export interface Scope {
  after(task: () => Promise<void> | void): void;
}

/** For what several tests of one `describe` share; call it there. Ended last to first, all of it, whatever fails. */
export function suiteScope(): Scope {
  const tasks: (() => Promise<void> | void)[] = [];
  after(async () => {
    const errors: unknown[] = [];
    for (const task of tasks.reverse()) {
      try {
        await task();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors.length === 1 ? errors[0] : new AggregateError(errors);
  });
  return { after: (task) => tasks.push(task) };
}

/** Something that happened, told to all who wait for what may follow from it. */
export class Changes {
  readonly #waiting = new Set<() => void>();

  notify(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** The first value of `condition` that is not undefined. @throws {Error} at the deadline; `what` says what was missed. */
  until<T>(what: string | (() => string), condition: () => T | undefined, deadline = DEADLINE): Promise<T> {
    const early = condition();
    if (early !== undefined) return Promise.resolve(early);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        try {
          const value = condition();
          if (value === undefined) return;
          end();
          resolve(value);
        } catch (error) {
          end();
          reject(error);
        }
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`not within ${deadline} ms: ${typeof what === "string" ? what : what()}`));
      }, deadline);
      this.#waiting.add(look);
    });
  }
}

const LOOK_EVERY = 20;

/** For what tells nobody that it changed (a file, `/proc`): looks again and again. */
export async function until<T>(
  what: string | (() => string),
  condition: () => T | undefined | Promise<T | undefined>,
  deadline = DEADLINE,
): Promise<T> {
  const end = performance.now() + deadline;
  for (;;) {
    const value = await condition();
    if (value !== undefined) return value;
    if (performance.now() > end)
      throw new Error(`not within ${deadline} ms: ${typeof what === "string" ? what : what()}`);
    await pause(LOOK_EVERY);
  }
}

/** Time that belongs to a test's subject (a slow client, a gap between writes). Never to wait for something to happen. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
