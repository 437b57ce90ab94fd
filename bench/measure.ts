/**
 * Times a function: nanoseconds a call, the median of several rounds after a warm-up.
 */

import { performance } from "node:perf_hooks";
import process from "node:process";

const ROUNDS = 9;
const ROUND_MS = 60;

/** Keeps results alive, so that no engine optimises the work away. */
let sink: unknown;

/** Nanoseconds for one call of `work`: [lowest, median, highest] of the rounds. */
export function measure(work: () => unknown): [number, number, number] {
  let calls = 1;
  // Doubling until a round is long enough is the warm-up as well.
  while (time(work, calls) < ROUND_MS) calls *= 2;
  const rounds = Array.from({ length: ROUNDS }, () => (time(work, calls) * 1e6) / calls).sort((a, b) => a - b);
  return [rounds[0]!, rounds[ROUNDS >> 1]!, rounds[ROUNDS - 1]!];
}

function time(work: () => unknown, calls: number): number {
  const start = performance.now();
  for (let call = 0; call < calls; call++) sink = work();
  return performance.now() - start;
}

/** One line of a report. */
export function report(label: string, [low, median, high]: [number, number, number]): void {
  const numbers = [low, median, high].map((value) => value.toFixed(0).padStart(7)).join(" ");
  process.stdout.write(`${label.padEnd(54)} ${numbers} ns (min, median, max)\n`);
}

/** The runtime that is being measured. */
export function runtime(): string {
  const { bun, deno, node } = process.versions;
  return bun !== undefined ? `bun ${bun}` : deno !== undefined ? `deno ${deno}` : `node ${node}`;
}

export function used(): unknown {
  return sink;
}
