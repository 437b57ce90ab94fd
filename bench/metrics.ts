/**
 * What is measured: names, units, and how a round's samples become numbers.
 *
 * Owns: the list of metrics; for every one, less is better. It measures nothing.
 */

import type { Sample } from "./load/protocol.ts";

export const METRICS = {
  down: { label: "CPU down", unit: "s/GB", digits: 3 },
  up: { label: "CPU up", unit: "s/GB", digits: 3 },
  connection: { label: "CPU connection", unit: "µs", digits: 1 },
  roundTrip1: { label: "CPU trip, 1 conn", unit: "µs", digits: 1 },
  roundTrip50: { label: "CPU trip, 50 conn", unit: "µs", digits: 1 },
  idle: { label: "idle connection", unit: "KiB", digits: 2 },
  start: { label: "first routed after", unit: "ms", digits: 0 },
  p50of1: { label: "p50, 1 conn", unit: "µs", digits: 0 },
  p99of1: { label: "p99, 1 conn", unit: "µs", digits: 0 },
  p50of50: { label: "p50, 50 conn", unit: "µs", digits: 0 },
  p99of50: { label: "p99, 50 conn", unit: "µs", digits: 0 },
} as const;

export type Metric = keyof typeof METRICS;
export const METRIC_NAMES = Object.keys(METRICS) as Metric[];
/** Not every contender has every metric: a direct connection has no proxy whose CPU could be counted. */
export type Numbers = Partial<Record<Metric, number>>;

/** The loads that are timed, in the order in which they run. */
export const LOADS = {
  down: { load: "down", parallel: 4, unit: "GB/s", per: 1e9 },
  up: { load: "up", parallel: 4, unit: "GB/s", per: 1e9 },
  connection: { load: "connections", parallel: 32, unit: "k/s", per: 1e3 },
  roundTrip1: { load: "round_trips", parallel: 1, unit: "k/s", per: 1e3 },
  roundTrip50: { load: "round_trips", parallel: 50, unit: "k/s", per: 1e3 },
} as const;

export type LoadName = keyof typeof LOADS;
export const LOAD_NAMES = Object.keys(LOADS) as LoadName[];
export type Samples = Partial<Record<LoadName, Sample>>;

/** How fast a load went and who was busy; parts of one core. */
export interface Pace {
  readonly rate: number;
  readonly proxyBusy: number;
  readonly generatorBusy: number;
}

/** The metrics that a round's samples give. */
export function numbersOf(samples: Samples, hasProxy: boolean): Numbers {
  const numbers: Numbers = {};
  for (const name of LOAD_NAMES) {
    const sample = samples[name];
    if (sample === undefined || sample.count === 0) continue;
    const scale = LOADS[name].unit === "GB/s" ? 1e9 : 1e6;
    if (hasProxy) numbers[name] = (sample.proxySeconds / sample.count) * scale;
    if (name === "roundTrip1") Object.assign(numbers, { p50of1: sample.p50, p99of1: sample.p99 });
    if (name === "roundTrip50") Object.assign(numbers, { p50of50: sample.p50, p99of50: sample.p99 });
  }
  return numbers;
}

export function paceOf(name: LoadName, sample: Sample): Pace {
  return {
    rate: sample.count / sample.seconds / LOADS[name].per,
    proxyBusy: sample.proxySeconds / sample.seconds,
    generatorBusy: sample.generatorSeconds / sample.seconds,
  };
}

/** The middle one; of an even number the mean of both; undefined of none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[half]
    : sorted.length === 0
      ? undefined
      : (sorted[half - 1]! + sorted[half]!) / 2;
}
