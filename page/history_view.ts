/**
 * The last hour: three charts with one cursor, and the same numbers as a table.
 */

import type { HistoryAnswer, HistorySample } from "../src/admin/api.ts";
import { Chart, type ChartOptions } from "./chart.ts";
import { byId, html } from "./element.ts";
import { LiveTable, textColumn } from "./live_rows.ts";
import { byteRate, clock, count, short } from "./text.ts";
import { coarser } from "./ticks.ts";

const FIVE_MINUTES = 300_000;
const perSecond = (value: number, interval: number): number => (value * 1000) / interval;
const aSecond = (value: number): string => `${short(value)}/s`;

const CHARTS: readonly Omit<ChartOptions, "onCursor">[] = [
  {
    title: "Throughput",
    series: [
      { label: "To clients", value: ({ sent }, interval) => perSecond(sent, interval) },
      { label: "From clients", value: ({ received }, interval) => perSecond(received, interval) },
    ],
    axis: byteRate,
    format: byteRate,
  },
  { title: "Open connections", series: [{ label: "Open", value: ({ open }) => open }], axis: short, format: count },
  {
    title: "New connections",
    series: [
      { label: "Accepted", value: ({ accepted }, interval) => perSecond(accepted, interval) },
      { label: "Turned away", value: ({ rejected }, interval) => perSecond(rejected, interval) },
    ],
    axis: aSecond,
    format: aSecond,
  },
];

function tableOf(span: () => number): LiveTable<HistorySample> {
  const rate = (value: number): string => byteRate(perSecond(value, span()));
  const columns = [
    textColumn<HistorySample>("Until", ({ at }) => clock(at)),
    textColumn<HistorySample>("To clients", ({ sent }) => rate(sent), "number"),
    textColumn<HistorySample>("From clients", ({ received }) => rate(received), "number"),
    textColumn<HistorySample>("Open", ({ open }) => count(open), "number"),
    textColumn<HistorySample>("Accepted", ({ accepted }) => count(accepted), "number"),
    textColumn<HistorySample>("Turned away", ({ rejected }) => count(rejected), "number"),
  ];
  return new LiveTable("The last hour in steps of five minutes", columns, ({ at }) => String(at), "Nothing yet.");
}

export function createHistoryView(): (history: HistoryAnswer) => void {
  const charts: Chart[] = CHARTS.map(
    (options) =>
      new Chart({
        ...options,
        onCursor: (index) => {
          for (const chart of charts) chart.setCursor(index);
        },
      }),
  );
  let latest: HistoryAnswer = { interval: 1, samples: [] };
  const group = (): number => Math.max(1, Math.round(FIVE_MINUTES / latest.interval));
  const table = tableOf(() => group() * latest.interval);
  const details = byId("history-table") as HTMLDetailsElement;
  const fill = (): void => {
    if (details.open) table.update(coarser(latest.samples, group()).reverse());
  };
  details.addEventListener("toggle", fill);
  details.append(table.element);
  byId("charts").append(...charts.map(({ element }) => element));
  const note = html("p", { class: "note" }, "Kept in memory. Arrow keys move through a chart.");
  byId("history-title").after(note);
  return (history) => {
    latest = history;
    for (const chart of charts) chart.show(history);
    fill();
  };
}
