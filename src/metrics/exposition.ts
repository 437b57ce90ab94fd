/**
 * Prometheus' text exposition format, version 0.0.4.
 *
 * Owns: its syntax. Whatever a label value holds is escaped, so that no value can end its line.
 */

import type { Histogram } from "./histogram.ts";
import { METRICS, type MetricDefinition, type MetricName } from "./metric_table.ts";

/** Of the whole text. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export class Exposition {
  readonly #lines = new Map<MetricName, string[]>();

  /** @param labels the values of the metric's labels, in their order. A value that is not known is left out. */
  add(name: MetricName, value: number | undefined, ...labels: readonly string[]): void {
    if (value !== undefined) this.#of(name).push(`${name}${labelText(name, labels)} ${numberText(value)}`);
  }

  histogram(name: MetricName, { bounds, counts, sum }: Histogram, ...labels: readonly string[]): void {
    const lines = this.#of(name);
    let count = 0;
    for (const [bucket, inside] of counts.entries()) {
      count += inside;
      const bound = bounds[bucket];
      const le = `le="${bound === undefined ? "+Inf" : numberText(bound)}"`;
      lines.push(`${name}_bucket${labelText(name, labels, le)} ${count}`);
    }
    this.#sum(name, labels, sum, count);
  }

  /** A sum of times (ms) and how many there were. */
  summary(name: MetricName, time: number, count: number, ...labels: readonly string[]): void {
    this.#sum(name, labels, time, count);
  }

  #sum(name: MetricName, labels: readonly string[], time: number, count: number): void {
    const text = labelText(name, labels);
    this.#of(name).push(`${name}_sum${text} ${numberText(time / 1000)}`, `${name}_count${text} ${count}`);
  }

  #of(name: MetricName): string[] {
    let lines = this.#lines.get(name);
    if (lines === undefined) {
      lines = [];
      this.#lines.set(name, lines);
    }
    return lines;
  }

  /** Every metric that has a value, in the order of the table. */
  toString(): string {
    const blocks: string[] = [];
    for (const name of Object.keys(METRICS) as MetricName[]) {
      const lines = this.#lines.get(name);
      if (lines === undefined) continue;
      const { help, type } = METRICS[name];
      blocks.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines);
    }
    return `${blocks.join("\n")}\n`;
  }
}

function labelText(name: MetricName, values: readonly string[], more?: string): string {
  const { labels }: MetricDefinition = METRICS[name];
  const pairs = labels.map((label, index) => `${label}="${escapeValue(values[index] ?? "")}"`);
  if (more !== undefined) pairs.push(more);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeValue(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** Go's syntax, which for these numbers is also ours. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}
