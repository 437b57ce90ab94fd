/**
 * How many lookups are under way at once.
 *
 * Owns: the cap, and two queues behind it: names that were answered before go first, so that a flood of new names
 * (clients choose them, below a wildcard) does not keep known ones from being renewed.
 */

/** One lookup: starts, and says when it has ended. */
export type LookupTask = (ended: () => void) => void;

/** Lookups that wait at most, for each queue. */
export const MAX_WAITING = 1000;

export class LookupQueue {
  readonly #concurrency: number;
  #running = 0;
  readonly #known: LookupTask[] = [];
  readonly #fresh: LookupTask[] = [];

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Runs `task` now or later; false: too many wait already, and it never runs. */
  add(task: LookupTask, known: boolean): boolean {
    if (this.#running < this.#concurrency) {
      this.#run(task);
      return true;
    }
    const queue = known ? this.#known : this.#fresh;
    if (queue.length >= MAX_WAITING) return false;
    queue.push(task);
    return true;
  }

  #run(task: LookupTask): void {
    this.#running++;
    let running = true;
    task(() => {
      if (!running) return;
      running = false;
      this.#running--;
      const next = this.#known.shift() ?? this.#fresh.shift();
      if (next !== undefined) this.#run(next);
    });
  }
}
