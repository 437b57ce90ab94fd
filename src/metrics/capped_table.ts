/**
 * Numbers by one or two label values, of which only so many are shown.
 *
 * Owns: both bounds. The first ones that come are shown by themselves and stay so, since a counter must never go back;
 * those beyond are still told apart for as long as there is room, and what is beyond that is one sum. What is forgotten is
 * added to that sum.
 */

interface Row<Value> {
  readonly first: string;
  readonly second: string;
  readonly value: Value;
  readonly isShown: boolean;
}

export interface TableParts<Value> {
  /** Rows that are shown by themselves. */
  readonly shown: number;
  /** Rows that are told apart. */
  readonly most: number;
  make(): Value;
  add(sum: Value, value: Value): void;
}

export class CappedTable<Value> {
  readonly #parts: TableParts<Value>;
  readonly #rows = new Map<string, Row<Value>>();
  #shown = 0;
  #rest: Value | undefined;

  constructor(parts: TableParts<Value>) {
    this.#parts = parts;
  }

  /** Where the numbers of this row are counted. */
  at(first: string, second = ""): Value {
    const key = `${first}\0${second}`;
    const known = this.#rows.get(key);
    if (known !== undefined) return known.value;
    if (this.#rows.size >= this.#parts.most) return this.#sum();
    const isShown = this.#shown < this.#parts.shown;
    if (isShown) this.#shown++;
    const row = { first, second, value: this.#parts.make(), isShown };
    this.#rows.set(key, row);
    return row.value;
  }

  get(first: string, second = ""): Value | undefined {
    return this.#rows.get(`${first}\0${second}`)?.value;
  }

  /** All that are told apart. */
  rows(): Iterable<{ readonly first: string; readonly second: string; readonly value: Value }> {
    return this.#rows.values();
  }

  /** What is not told apart; undefined where there is nothing. */
  get rest(): Value | undefined {
    return this.#rest;
  }

  /** Rows that have a series of their own. */
  get shown(): number {
    return this.#shown;
  }

  get limit(): number {
    return this.#parts.shown;
  }

  /** Each row that is shown, and, with `other` in place of its label values, the sum of all others. */
  *series(): Generator<{ readonly labels: readonly [string, string]; readonly value: Value }> {
    const other = this.#parts.make();
    let isOther = false;
    const put = (value: Value): void => {
      isOther = true;
      this.#parts.add(other, value);
    };
    for (const { first, second, value, isShown } of this.#rows.values()) {
      if (isShown) yield { labels: [first, second], value };
      else put(value);
    }
    if (this.#rest !== undefined) put(this.#rest);
    if (isOther) yield { labels: [OTHER, OTHER], value: other };
  }

  /** Where there is no more room, rows that `isGone` go into the sum. */
  makeRoom(isGone: (first: string, second: string) => boolean): void {
    if (this.#shown < this.#parts.shown) return;
    for (const [key, { first, second, value, isShown }] of this.#rows) {
      if (!isGone(first, second)) continue;
      this.#rows.delete(key);
      if (isShown) this.#shown--;
      this.#parts.add(this.#sum(), value);
    }
  }

  #sum(): Value {
    this.#rest ??= this.#parts.make();
    return this.#rest;
  }
}

/** The label value of what is not shown by itself; no listener and no server has such an address. */
export const OTHER = "other";
