/**
 * A table of many rows, of which only those in sight are in the document, and only their pages are asked for.
 *
 * Owns: which rows are in sight, the pages they come from, and when to ask for one. Rows have one height.
 */

import { html, setAttribute, setText } from "./element.ts";
import { type Column, headOf, LiveRows } from "./live_rows.ts";
import { count } from "./text.ts";

export interface Page<T> {
  readonly total: number;
  readonly items: readonly T[];
}

export interface WindowedOptions<T> {
  readonly label: string;
  /** What one row is, for the count: `connection`. */
  readonly noun: string;
  readonly columns: readonly Column<T>[];
  readonly keyOf: (item: T) => string;
  readonly fetch: (offset: number, limit: number) => Promise<Page<T>>;
}

/** Pixels; page.css has the same. */
const ROW = 32;
const PAGE = 100;
/** Rows above and below the window that are there already. */
const SPARE = 8;
/** A scroll that rests so long, in milliseconds, asks for its rows. */
const REST = 90;
/** Browsers cannot make an element much higher than this many rows. */
const MOST = 400_000;

export class WindowedTable<T> {
  readonly element: HTMLElement;
  /** `12,345 connections`, `none`. */
  readonly countLine = html("p", { class: "count", "aria-live": "off" });
  readonly #options: WindowedOptions<T>;
  readonly #rows: LiveRows<T>;
  readonly #above = html("tr", { "aria-hidden": "true", class: "space" }, html("td"));
  readonly #below = html("tr", { "aria-hidden": "true", class: "space" }, html("td"));
  readonly #table: HTMLTableElement;
  readonly #pages = new Map<number, readonly T[]>();
  #total = 0;
  #generation = 0;
  #timer = 0;

  constructor(options: WindowedOptions<T>) {
    this.#options = options;
    this.#rows = new LiveRows(options.columns, options.keyOf);
    this.#rows.body.append(this.#above, this.#below);
    const caption = html("caption", { class: "hidden" }, options.label);
    this.#table = html("table", {}, caption, headOf(options.columns), this.#rows.body);
    const frame = { class: "scroll window", tabindex: 0, role: "group", "aria-label": options.label };
    this.element = html("div", frame, this.#table);
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  /** From the top, for another question. */
  restart(): Promise<void> {
    this.#generation++;
    this.#pages.clear();
    this.element.scrollTop = 0;
    return this.refresh();
  }

  /** Asks anew for what is in sight. */
  async refresh(): Promise<void> {
    const generation = this.#generation;
    const wanted = this.#pagesInSight();
    for (const page of wanted) await this.#load(page, generation);
    if (generation !== this.#generation) return;
    for (const page of [...this.#pages.keys()]) if (!wanted.includes(page)) this.#pages.delete(page);
    this.#draw();
  }

  async #load(page: number, generation: number): Promise<void> {
    const { total, items } = await this.#options.fetch(page * PAGE, PAGE);
    if (generation !== this.#generation) return;
    this.#total = Math.min(total, MOST);
    this.#pages.set(page, items);
    setText(this.countLine, `${total === 0 ? "No" : count(total)} ${this.#options.noun}${total === 1 ? "" : "s"}`);
  }

  #scrolled(): void {
    this.#draw();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const missing = this.#pagesInSight().filter((page) => !this.#pages.has(page));
      // Who does not answer is told of by the state at the top.
      if (missing.length > 0) this.refresh().catch(() => {});
    }, REST);
  }

  #range(): readonly [first: number, last: number] {
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW) - SPARE);
    const inSight = Math.ceil(this.element.clientHeight / ROW) + 2 * SPARE;
    return [Math.min(first, Math.max(0, this.#total - 1)), Math.min(this.#total, first + inSight)];
  }

  #pagesInSight(): number[] {
    const [first, last] = this.#range();
    const from = Math.floor(first / PAGE);
    const to = Math.floor(Math.max(first, last - 1) / PAGE);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  }

  #draw(): void {
    const [first, last] = this.#range();
    const items: T[] = [];
    let start = -1;
    for (let index = first; index < last; index++) {
      const item = this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
      if (item === undefined && start >= 0) break;
      if (item === undefined) continue;
      if (start < 0) start = index;
      items.push(item);
    }
    const from = start < 0 ? first : start;
    this.#rows.update(items, this.#above, (at) => ({ "aria-rowindex": from + at + 2 }));
    space(this.#above, from, this.#options.columns.length);
    space(this.#below, this.#total - from - items.length, this.#options.columns.length);
    setAttribute(this.#table, "aria-rowcount", this.#total + 1);
  }
}

function space(row: HTMLTableRowElement, rows: number, columns: number): void {
  row.hidden = rows <= 0;
  row.cells[0]!.colSpan = columns;
  row.cells[0]!.style.height = `${Math.max(0, rows) * ROW}px`;
}
