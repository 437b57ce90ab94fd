/**
 * A line chart of the last hour: axes with units, and a value under the pointer or the arrow keys.
 *
 * Owns: one drawing. For a screen reader it is a slider through time that tells the values there.
 */

import type { HistoryAnswer, HistorySample } from "../src/admin/api.ts";
import { html, setAttribute, setText, svg } from "./element.ts";
import { clock, hour } from "./text.ts";
import { timeTicks, valueTicks } from "./ticks.ts";

export interface Series {
  readonly label: string;
  /** In units of the chart. @param interval milliseconds that the sample is of. */
  readonly value: (sample: HistorySample, interval: number) => number;
}

export interface ChartOptions {
  readonly title: string;
  readonly series: readonly Series[];
  /** A value at the axis and in the read-out. */
  readonly axis: (value: number) => string;
  readonly format: (value: number) => string;
  /** Where the pointer or the keys are, as a sample's index; undefined: nowhere. */
  readonly onCursor: (index: number | undefined) => void;
}

const HOUR = 3_600_000;
const HEIGHT = 168;
const EDGE = { top: 8, right: 8, bottom: 22, left: 66 };

export class Chart {
  readonly element: HTMLElement;
  readonly #options: ChartOptions;
  readonly #plot: HTMLElement;
  readonly #drawing = svg("svg", { height: HEIGHT, "aria-hidden": "true", focusable: "false" });
  readonly #values: readonly HTMLElement[];
  readonly #time = html("span", { class: "time" });
  #history: HistoryAnswer = { interval: 1, samples: [] };
  #cursor: number | undefined;
  #highest = 1;

  constructor(options: ChartOptions) {
    this.#options = options;
    this.#values = options.series.map(() => html("b", {}, "–"));
    const legend = options.series.map(({ label }, at) =>
      html("span", { class: `key series-${at}` }, `${label} `, this.#values[at]!),
    );
    const name = `${options.title}, last hour`;
    this.#plot = html("div", { class: "plot", tabindex: 0, role: "slider", "aria-label": name }, this.#drawing);
    const head = html("p", { class: "legend" }, ...legend);
    const title = html("div", { class: "chart-title" }, html("h3", {}, options.title), this.#time);
    this.element = html("div", { class: "chart" }, title, head, this.#plot);
    this.#listen();
  }

  show(history: HistoryAnswer): void {
    this.#history = history;
    this.#draw();
  }

  /** Shows the values of this sample; undefined: of the last one. */
  setCursor(index: number | undefined): void {
    this.#cursor = index;
    this.#read();
  }

  #listen(): void {
    new ResizeObserver(() => this.#draw()).observe(this.#plot);
    this.#plot.addEventListener("pointermove", (event) => this.#options.onCursor(this.#indexAt(event.offsetX)));
    this.#plot.addEventListener("pointerleave", () => this.#options.onCursor(undefined));
    this.#plot.addEventListener("blur", () => this.#options.onCursor(undefined));
    this.#plot.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event: KeyboardEvent): void {
    const last = this.#history.samples.length - 1;
    const here = this.#cursor ?? last;
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: here - 1,
      ArrowDown: here - 1,
      ArrowRight: here + 1,
      ArrowUp: here + 1,
      PageUp: here - 30,
      PageDown: here + 30,
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    if (event.key === "Escape") this.#options.onCursor(undefined);
    if (next === undefined || last < 0) return;
    event.preventDefault();
    this.#options.onCursor(Math.min(last, Math.max(0, next)));
  }

  get #width(): number {
    return Math.max(200, this.#plot.clientWidth);
  }

  get #until(): number {
    return this.#history.samples.at(-1)?.at ?? 0;
  }

  #x(at: number): number {
    return EDGE.left + (1 - (this.#until - at) / HOUR) * (this.#width - EDGE.left - EDGE.right);
  }

  #y(value: number): number {
    return HEIGHT - EDGE.bottom - (value / this.#highest) * (HEIGHT - EDGE.top - EDGE.bottom);
  }

  #indexAt(x: number): number | undefined {
    const { samples } = this.#history;
    if (samples.length === 0) return undefined;
    const near = samples.reduce(
      (best, { at }, index) => {
        const distance = Math.abs(this.#x(at) - x);
        return distance < best.distance ? { index, distance } : best;
      },
      { index: 0, distance: Number.POSITIVE_INFINITY },
    );
    return near.index;
  }

  #valuesOf(series: Series): number[] {
    return this.#history.samples.map((sample) => series.value(sample, this.#history.interval));
  }

  #draw(): void {
    const lines = this.#options.series.map((series) => this.#valuesOf(series));
    const ticks = valueTicks(Math.max(0, ...lines.flat()), 3);
    this.#highest = ticks.at(-1)!;
    setAttribute(this.#drawing, "width", this.#width);
    const parts = [...this.#valueAxis(ticks), ...this.#timeAxis(), ...lines.map((line, at) => this.#line(line, at))];
    this.#drawing.replaceChildren(...parts, svg("g", { class: "cursor" }));
    setAttribute(this.#plot, "aria-valuemin", 0);
    setAttribute(this.#plot, "aria-valuemax", Math.max(0, this.#history.samples.length - 1));
    this.#read();
  }

  #valueAxis(ticks: readonly number[]): SVGElement[] {
    return ticks.flatMap((tick) => {
      const y = Math.round(this.#y(tick)) + 0.5;
      const grid = svg("line", { class: "grid", x1: EDGE.left, x2: this.#width - EDGE.right, y1: y, y2: y });
      const text = svg("text", { x: EDGE.left - 8, y: y + 4, "text-anchor": "end" }, this.#options.axis(tick));
      return [grid, text];
    });
  }

  #timeAxis(): SVGElement[] {
    if (this.#history.samples.length === 0) return [];
    const from = this.#until - HOUR;
    return timeTicks(from, this.#until, this.#width < 340 ? 3 : 6)
      .filter((at) => this.#x(at) < this.#width - 14)
      .map((at) => svg("text", { x: this.#x(at), y: HEIGHT - 4, "text-anchor": "middle" }, hour(at)));
  }

  #line(values: readonly number[], series: number): SVGElement {
    const points = values.map((value, index) => {
      return `${this.#x(this.#history.samples[index]!.at).toFixed(1)} ${this.#y(value).toFixed(1)}`;
    });
    const line = svg("path", { class: "line", d: points.length === 0 ? "" : `M${points.join("L")}` });
    const group = svg("g", { class: `series-${series}` }, line);
    if (series === 0 && points.length > 1) group.prepend(svg("path", { class: "area", d: this.#area(points) }));
    return group;
  }

  #area(points: readonly string[]): string {
    const x = (point: string): string => point.split(" ")[0]!;
    const floor = HEIGHT - EDGE.bottom;
    return `M${x(points[0]!)} ${floor}L${points.join("L")}L${x(points.at(-1)!)} ${floor}Z`;
  }

  #read(): void {
    const { samples, interval } = this.#history;
    const index = Math.min(this.#cursor ?? samples.length - 1, samples.length - 1);
    const sample = samples[index];
    if (sample === undefined) return;
    const texts = this.#options.series.map((series) => this.#options.format(series.value(sample, interval)));
    texts.forEach((text, at) => {
      setText(this.#values[at]!, text);
    });
    setText(this.#time, this.#cursor === undefined ? "" : clock(sample.at));
    const said = this.#options.series.map(({ label }, at) => `${label} ${texts[at]}`).join(", ");
    setAttribute(this.#plot, "aria-valuenow", index);
    setAttribute(this.#plot, "aria-valuetext", `${clock(sample.at)}: ${said}`);
    this.#point(sample, interval);
  }

  #point(sample: HistorySample, interval: number): void {
    const group = this.#drawing.lastElementChild;
    if (this.#cursor === undefined) {
      group?.replaceChildren();
      return;
    }
    const x = this.#x(sample.at);
    const dots = this.#options.series.map((series, at) =>
      svg("circle", { class: `series-${at}`, cx: x, cy: this.#y(series.value(sample, interval)), r: 3.5 }),
    );
    group?.replaceChildren(svg("line", { x1: x, x2: x, y1: EDGE.top, y2: HEIGHT - EDGE.bottom }), ...dots);
  }
}
