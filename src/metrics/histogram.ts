/**
 * A histogram with fixed buckets, of times in milliseconds.
 *
 * Owns: the bounds, in seconds as Prometheus has them, and counting. Each value is counted in one bucket; whoever shows
 * them adds up.
 */

/** From accept to the route, and from the route to the server's answer: bounded by `timeouts.preread` and `.connect`. */
export const SHORT_TIMES: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15,
];
/** Whole sessions: a request, or a tunnel that is open for a day. */
export const SESSION_TIMES: readonly number[] = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];
/** How late an event loop is. */
export const LAG_TIMES: readonly number[] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** What survives structured cloning. */
export interface HistogramCounts {
  /** By bucket, not added up; one more than there are bounds. */
  readonly counts: number[];
  /** Milliseconds. */
  sum: number;
}

export class Histogram implements HistogramCounts {
  /** In seconds, ascending. */
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** @param time in milliseconds. */
  observe(time: number): void {
    const { bounds } = this;
    const seconds = time / 1000;
    let bucket = 0;
    while (bucket < bounds.length && seconds > bounds[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sum += time;
  }

  /** What another one with the same bounds has counted. */
  merge({ counts, sum }: HistogramCounts): void {
    for (const [bucket, count] of counts.entries()) this.counts[bucket]! += count;
    this.sum += sum;
  }

  get count(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }
}
