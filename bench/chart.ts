/**
 * The results as a picture for the README: one panel of bars a metric.
 *
 * Owns: the SVG, written by hand. It refers to nothing outside itself, and is readable on a dark and on a light page.
 */

import { METRICS, type Metric, type Numbers } from "./metrics.ts";
import type { Result } from "./results.ts";

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly digits: number;
  readonly value: (numbers: Numbers) => number | undefined;
}

const PANELS: readonly Panel[] = [
  { title: "CPU per GB, both ways", unit: "s", digits: 2, value: ({ down, up }) => mean(down, up) },
  panel("CPU per connection", "connection", 0),
  panel("CPU per 64-byte round trip", "roundTrip50", 1),
  panel("Memory per idle connection", "idle", 1),
];

const WIDTH = 880;
const MARGIN = 12;
const PANEL_WIDTH = (WIDTH - 3 * MARGIN) / 2;
const NAME_WIDTH = 108;
/** Room for the number behind the longest bar. */
const NUMBER_WIDTH = 76;
const ROW = 20;
const BAR = 13;
const HEAD = 30;
const FOOT = 44;

const LEGEND = "Green is certless, by adapter and runtime. One core for each proxy; shorter is better.";

/** Colours that have contrast enough on white and on black alike, and better ones where the page says which it is. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #7a828c }
  .title { font-weight: 600; font-size: 13px }
  .value { font-variant-numeric: tabular-nums }
  .certless { fill: #2f8f6b }
  .peer { fill: #8b949e }
  @media (prefers-color-scheme: light) { text { fill: #3d444d } .title { fill: #1f2328 } }
  @media (prefers-color-scheme: dark) { text { fill: #b1bac4 } .title { fill: #f0f6fc } .certless { fill: #3fb68a } .peer { fill: #6e7681 } }
`;

/** A chart of everyone that was measured whole; `caption` says where, when and with which versions. */
export function chart(results: readonly Result[], caption: string): string {
  const shown = results.filter(({ kind, name }) => kind !== "direct" && !/\+(?:log|all)$/.test(name));
  const panelHeight = HEAD + shown.length * ROW + MARGIN;
  const height = MARGIN + 2 * panelHeight + FOOT;
  const panels = PANELS.map((one, index) => {
    const x = MARGIN + (index % 2) * (PANEL_WIDTH + MARGIN);
    const y = MARGIN + Math.floor(index / 2) * panelHeight;
    return `<g transform="translate(${x} ${y})">\n${drawPanel(one, shown)}\n</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    "<title>certless beside its peers: what a proxy costs, less is better</title>",
    `<style>${STYLE}</style>`,
    ...panels,
    `<text x="${MARGIN}" y="${height - 27}">${LEGEND}</text>`,
    `<text x="${MARGIN}" y="${height - 9}">${escapeXml(caption)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

function drawPanel({ title, unit, digits, value }: Panel, shown: readonly Result[]): string {
  const bars = shown
    .flatMap((result) => {
      const number = value(result.median);
      return number === undefined ? [] : { result, number: Math.max(0, number) };
    })
    .toSorted((a, b) => a.number - b.number);
  const longest = Math.max(...bars.map(({ number }) => number), Number.MIN_VALUE);
  const scale = (PANEL_WIDTH - NAME_WIDTH - NUMBER_WIDTH) / longest;
  const rows = bars.map(({ result, number }, row) => {
    const [y, width] = [HEAD + row * ROW, Math.max(1, number * scale)];
    const text = `${number.toFixed(digits)} ${unit}`;
    return [
      `<text x="${NAME_WIDTH - 8}" y="${y + 11}" text-anchor="end">${escapeXml(result.name)}</text>`,
      `<rect class="${result.kind}" x="${NAME_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2"/>`,
      `<text class="value" x="${(NAME_WIDTH + width + 6).toFixed(1)}" y="${y + 11}">${text}</text>`,
    ].join("");
  });
  return [`<text class="title" x="0" y="14">${escapeXml(title)}</text>`, ...rows].join("\n");
}

function panel(title: string, metric: Metric, digits: number): Panel {
  return { title, unit: METRICS[metric].unit, digits, value: ({ [metric]: number }) => number };
}

function mean(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : (a + b) / 2;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
