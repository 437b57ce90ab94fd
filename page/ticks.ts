/**
 * Round numbers for an axis, and samples in coarser steps.
 *
 * Owns: where ticks stand. Pure: it must not know the document.
 */

import type { HistorySample } from "../src/admin/api.ts";

/** At most `wanted` + 1 round values from 0 up to the first that is not below `highest`. */
export function valueTicks(highest: number, wanted: number): number[] {
  if (!(highest > 0)) return [0, 1];
  const rough = highest / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999999)! * power;
  const steps = Math.ceil(highest / step - 1e-9);
  return Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

const TIME_STEPS = [1, 5, 10, 15, 30, 60].map((minutes) => minutes * 60_000);

/** Whole minutes between `from` and `to`, `wanted` of them at most. */
export function timeTicks(from: number, to: number, wanted: number): number[] {
  const span = to - from;
  const step = TIME_STEPS.find((candidate) => span / candidate <= wanted) ?? 3_600_000;
  const first = Math.ceil(from / step) * step;
  const ticks: number[] = [];
  for (let at = first; at <= to; at += step) ticks.push(at);
  return ticks;
}

/** Samples added up in groups of `size`, from the end; a group's time and open connections are those of its last. */
export function coarser(samples: readonly HistorySample[], size: number): HistorySample[] {
  const groups: HistorySample[] = [];
  for (let end = samples.length; end > 0; end -= size) {
    groups.unshift(samples.slice(Math.max(0, end - size), end).reduce(together));
  }
  return groups;
}

function together(sum: HistorySample, next: HistorySample): HistorySample {
  return {
    at: next.at,
    open: next.open,
    accepted: sum.accepted + next.accepted,
    rejected: sum.rejected + next.rejected,
    received: sum.received + next.received,
    sent: sum.sent + next.sent,
  };
}
