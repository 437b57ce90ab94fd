/**
 * Everything that was measured, put together: medians, and each metric's ratio to the best peer.
 *
 * Owns: the arithmetic and the shape of the JSON file. It prints nothing.
 */

import type { Contender } from "./contenders.ts";
import {
  LOAD_NAMES,
  type LoadName,
  METRIC_NAMES,
  type Metric,
  median,
  type Numbers,
  type Pace,
  paceOf,
} from "./metrics.ts";
import type { Turn } from "./turn.ts";

export interface Result {
  readonly name: string;
  readonly kind: Contender["kind"];
  readonly version: string;
  /** Medians over the rounds. */
  readonly median: Numbers;
  /** The median by the lowest median of a peer; below 1 is better than every peer. */
  readonly ratio: Numbers;
  readonly pace: Partial<Record<LoadName, Pace>>;
  /** Connections that went wrong, all rounds together. */
  readonly errors: number;
  readonly rounds: readonly Numbers[];
}

/** The peer with the lowest median, for each metric that a peer has. */
export type BestPeers = Partial<Record<Metric, { readonly name: string; readonly value: number }>>;

export interface Entry {
  readonly contender: Contender;
  readonly version: string;
  readonly turns: readonly Turn[];
}

export interface Summary {
  readonly results: readonly Result[];
  readonly bestPeers: BestPeers;
  /** The part of one core that others than proxy and generator used on these two, in the middle. */
  readonly strangers: number;
}

export function summarise(entries: readonly Entry[]): Summary {
  const plain = entries
    .filter(({ turns }) => turns.length > 0)
    .map(({ contender: { name, kind }, version, turns }) => ({
      name,
      kind,
      version,
      median: medians(turns.map(({ numbers }) => numbers)),
      pace: paces(turns),
      errors: sum(turns.flatMap(({ samples }) => Object.values(samples).map(({ errors }) => errors))),
      rounds: turns.map(({ numbers }) => numbers),
    }));
  const bestPeers = best(plain.filter(({ kind }) => kind === "peer"));
  const samples = entries.flatMap(({ turns }) => turns.flatMap((turn) => Object.values(turn.samples)));
  const strangers = median(samples.map(({ strangerSeconds, seconds }) => strangerSeconds / seconds)) ?? 0;
  const results = plain.map((result) => ({ ...result, ratio: ratios(result.median, bestPeers) }));
  return { results, bestPeers, strangers };
}

function medians(rounds: readonly Numbers[]): Numbers {
  return each(METRIC_NAMES, (metric) => median(present(rounds.map((numbers) => numbers[metric]))));
}

function paces(turns: readonly Turn[]): Partial<Record<LoadName, Pace>> {
  return each(LOAD_NAMES, (name) => {
    const all = present(turns.map(({ samples }) => samples[name])).map((sample) => paceOf(name, sample));
    const [rate, proxyBusy, generatorBusy] = [
      median(all.map((pace) => pace.rate)),
      median(all.map((pace) => pace.proxyBusy)),
      median(all.map((pace) => pace.generatorBusy)),
    ];
    if (rate === undefined || proxyBusy === undefined || generatorBusy === undefined) return undefined;
    return { rate, proxyBusy, generatorBusy };
  });
}

function best(peers: readonly { name: string; median: Numbers }[]): BestPeers {
  return each(METRIC_NAMES, (metric) => {
    const values = peers.flatMap(({ name, median: { [metric]: value } }) =>
      value === undefined ? [] : { name, value },
    );
    return values.toSorted((a, b) => a.value - b.value)[0];
  });
}

function ratios(numbers: Numbers, bestPeers: BestPeers): Numbers {
  return each(METRIC_NAMES, (metric) => {
    const [own, peer] = [numbers[metric], bestPeers[metric]];
    return own === undefined || peer === undefined || peer.value <= 0 ? undefined : own / peer.value;
  });
}

/** A record of what `value` gives, without the undefined ones. */
function each<Key extends string, Value>(
  keys: readonly Key[],
  value: (key: Key) => Value | undefined,
): Partial<Record<Key, Value>> {
  const record: Partial<Record<Key, Value>> = {};
  for (const key of keys) {
    const found = value(key);
    if (found !== undefined) record[key] = found;
  }
  return record;
}

function present<Value>(values: readonly (Value | undefined)[]): Value[] {
  return values.filter((value) => value !== undefined);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
