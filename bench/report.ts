/**
 * The results as text for a terminal.
 *
 * Owns: the tables. The numbers come from `results.ts`.
 */

import { LOAD_NAMES, LOADS, METRICS, type Metric } from "./metrics.ts";
import type { BestPeers, Result, Summary } from "./results.ts";

const COSTS: readonly Metric[] = ["down", "up", "connection", "roundTrip1", "roundTrip50", "idle"];
const WAITS: readonly Metric[] = ["p50of1", "p99of1", "p50of50", "p99of50", "start"];

/** Part of a core; what the kernel itself does is below it. */
const BUSY = 0.05;

export interface LeftOut {
  readonly name: string;
  readonly why: string;
}

/** All tables, each with a line that says how to read it. */
export function report({ results, bestPeers, strangers }: Summary, leftOut: readonly LeftOut[]): string {
  return [
    "What the proxy costs: CPU time and memory, and × the best peer's (less is better)",
    costTable(results, bestPeers, COSTS),
    "How long it takes: 64-byte round trips, and from start to the first connection that is forwarded",
    costTable(results, bestPeers, WAITS),
    "How busy everyone was: rate · the proxy's core % · the generator's and origin's core %",
    paceTable(results),
    ...results
      .filter(({ errors }) => errors > 0)
      .map(({ name, errors }) => `${name}: ${errors} connections went wrong`),
    ...(strangers > BUSY
      ? [`Others used ${percent(strangers).trim()} % of a core meanwhile: measure again on a machine at rest`]
      : []),
    ...leftOut.map(({ name, why }) => `Left out: ${name}: ${why}`),
    "",
  ].join("\n");
}

function costTable(results: readonly Result[], bestPeers: BestPeers, metrics: readonly Metric[]): string {
  const head = ["", ...metrics.map((metric) => METRICS[metric].label)];
  const units = ["", ...metrics.map((metric) => METRICS[metric].unit)];
  const rows = results
    .filter(({ median }) => metrics.some((metric) => median[metric] !== undefined))
    .map((result) => [result.name, ...metrics.map((metric) => cell(result, metric))]);
  const best = ["best peer", ...metrics.map((metric) => bestPeers[metric]?.name ?? "")];
  return table([head, units, ...rows, ...(Object.keys(bestPeers).length > 0 ? [best] : [])]);
}

function cell({ median, ratio }: Result, metric: Metric): string {
  const [value, times] = [median[metric], ratio[metric]];
  if (value === undefined) return "–";
  return `${value.toFixed(METRICS[metric].digits)} ${times === undefined ? "" : `${times.toFixed(2)}×`}`.trim();
}

function paceTable(results: readonly Result[]): string {
  const head = ["", ...LOAD_NAMES.map((name) => `${METRICS[name].label.replace("CPU ", "")}, ${LOADS[name].unit}`)];
  const rows = results.map(({ name, pace }) => [
    name,
    ...LOAD_NAMES.map((load) => {
      const found = pace[load];
      if (found === undefined) return "–";
      return `${found.rate.toFixed(2)} · ${percent(found.proxyBusy)} · ${percent(found.generatorBusy)}`;
    }),
  ]);
  return table([head, ...rows]);
}

function percent(part: number): string {
  return (part * 100).toFixed(0).padStart(3);
}

/** Columns as wide as their widest cell; the first to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!))).join("  "),
  );
  return `${lines.map((line) => `  ${line.trimEnd()}`).join("\n")}\n`;
}
