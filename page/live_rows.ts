/**
 * The body of a table that changes while somebody looks at it.
 *
 * Owns: rows by key. A row that stays is changed in place, text by text, so that focus, selection and a screen reader's
 * place are kept.
 */

import { type Attributes, html, setText } from "./element.ts";

export interface Column<T> {
  readonly title: string;
  /** Classes of its cells: `number`, `name`, `wide`. */
  readonly kind?: string;
  /** Puts what is to be seen into the cell; called for each new state, with the cell as it was left. */
  readonly show: (item: T, cell: HTMLTableCellElement) => void;
}

/** A column of plain text. */
export function textColumn<T>(title: string, text: (item: T) => string, kind?: string): Column<T> {
  const show = (item: T, cell: HTMLTableCellElement): void => {
    const shown = text(item);
    setText(cell, shown);
    if (kind?.includes("cut")) cell.title = shown;
  };
  return kind === undefined ? { title, show } : { title, kind, show };
}

interface Row<T> {
  readonly element: HTMLTableRowElement;
  item: T;
}

export class LiveRows<T> {
  readonly #columns: readonly Column<T>[];
  readonly #keyOf: (item: T) => string;
  #rows = new Map<string, Row<T>>();
  readonly body: HTMLTableSectionElement;

  constructor(columns: readonly Column<T>[], keyOf: (item: T) => string) {
    this.#columns = columns;
    this.#keyOf = keyOf;
    this.body = html("tbody");
  }

  /** Shows these items in this order, between `after` and the body's end. @param attributes of the row, by its place. */
  update(items: readonly T[], after: Element | null = null, attributes?: (index: number) => Attributes): void {
    const rows = new Map<string, Row<T>>();
    let previous = after;
    items.forEach((item, index) => {
      const key = this.#keyOf(item);
      // Two pages that were asked for one after the other may both have a row that moved meanwhile.
      if (rows.has(key)) return;
      const row = this.#rows.get(key) ?? { element: this.#make(), item };
      row.item = item;
      rows.set(key, row);
      this.#rows.delete(key);
      for (const [name, value] of Object.entries(attributes?.(index) ?? {})) row.element.setAttribute(name, `${value}`);
      this.#columns.forEach((column, at) => {
        column.show(item, row.element.cells[at]!);
      });
      this.#place(row.element, previous);
      previous = row.element;
    });
    for (const { element } of this.#rows.values()) element.remove();
    this.#rows = rows;
  }

  #place(element: HTMLTableRowElement, previous: Element | null): void {
    const wanted = previous === null ? this.body.firstElementChild : previous.nextElementSibling;
    if (wanted !== element) this.body.insertBefore(element, wanted);
  }

  #make(): HTMLTableRowElement {
    return html("tr", {}, ...this.#columns.map(({ kind }) => html("td", { class: kind })));
  }
}

/** The head of a table with these columns. */
export function headOf<T>(columns: readonly Column<T>[]): HTMLTableSectionElement {
  const cells = columns.map(({ title, kind }) => {
    const label = title === "" ? html("span", { class: "hidden" }, "Actions") : title;
    return html("th", { scope: "col", class: kind }, label);
  });
  return html("thead", {}, html("tr", {}, ...cells));
}

/** A whole table of a few rows, which scrolls sideways by itself where the window is narrow. */
export class LiveTable<T> {
  readonly element: HTMLElement;
  readonly #rows: LiveRows<T>;
  readonly #empty: HTMLElement;

  constructor(label: string, columns: readonly Column<T>[], keyOf: (item: T) => string, empty: string) {
    this.#rows = new LiveRows(columns, keyOf);
    this.#empty = html("p", { class: "empty", hidden: true }, empty);
    const table = html("table", {}, html("caption", { class: "hidden" }, label), headOf(columns), this.#rows.body);
    this.element = html(
      "div",
      { class: "scroll", tabindex: 0, role: "group", "aria-label": label },
      table,
      this.#empty,
    );
  }

  update(items: readonly T[]): void {
    this.#rows.update(items);
    this.#empty.hidden = items.length > 0;
  }
}
