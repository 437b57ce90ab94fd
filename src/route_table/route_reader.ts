/**
 * Reads routes out of a table's memory, any thread its own reader.
 *
 * Owns: making `Route` objects, only when they are asked for, and remembering a bounded number of them: the same place gives
 * the same object while it is in use. Opening one takes no longer for a table of a million routes.
 */

import type { Route, RouteTable } from "../config/config.ts";
import type { RoutePattern } from "../hostname.ts";
import { APEX, ENTRY, HEADER, KIND_MASK, KINDS, LENGTH_SHIFT, OWN_TEXT, textWords, WIDE } from "./layout.ts";
import { patternText } from "./pattern_text.ts";
import { type RouteContent, readContent } from "./route_content.ts";

/** Routes, and contents, that are remembered at most. */
const MOST_ROUTES = 4096;
const MOST_CONTENTS = 1024;
/** Arguments of one call. */
const CHUNK = 4096;

export class RouteReader {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly #units: Uint16Array;
  /** By the lower bits of their place, or number: a newer one takes the place of an older one. */
  readonly #mask: number;
  readonly #places: Int32Array;
  readonly #routes: Route[] = [];
  readonly #numbers: Int32Array;
  readonly #contents: RouteContent[] = [];

  constructor({ memory, size }: Pick<RouteTable, "memory" | "size">) {
    this.words = new Int32Array(memory);
    this.bytes = new Uint8Array(memory);
    this.#units = new Uint16Array(memory);
    const slots = Math.min(MOST_ROUTES, 4 * 2 ** Math.ceil(Math.log2(size + 1)));
    this.#mask = slots - 1;
    this.#places = new Int32Array(slots);
    this.#numbers = new Int32Array(MOST_CONTENTS).fill(-1);
  }

  /** The route whose entry lies at `place`. */
  routeAt(place: number): Route {
    const slot = (place ^ (place >>> 7)) & this.#mask;
    if (this.#places[slot] === place) return this.#routes[slot] as Route;
    const route = this.readRoute(place);
    this.#places[slot] = place;
    this.#routes[slot] = route;
    return route;
  }

  /** The same, not to be remembered. */
  readRoute(place: number): Route {
    const pattern = this.#pattern(place);
    const head = this.words[place] as number;
    const after = place + ENTRY.name + textWords(head >>> LENGTH_SHIFT, (head & WIDE) !== 0);
    const text = (head & OWN_TEXT) === 0 ? patternText(pattern) : this.#text(after);
    const content = this.#content(this.words[place + ENTRY.content] as number);
    return { ...pattern, ...content, text, line: this.words[place + ENTRY.line] as number };
  }

  /** The source of the regular expression at `place`. */
  sourceAt(place: number): string {
    const head = this.words[place] as number;
    return this.#characters(place + ENTRY.name, head >>> LENGTH_SHIFT, (head & WIDE) !== 0);
  }

  /** The entry behind the one at `place`. */
  next(place: number): number {
    const head = this.words[place] as number;
    const after = place + ENTRY.name + textWords(head >>> LENGTH_SHIFT, (head & WIDE) !== 0);
    if ((head & OWN_TEXT) === 0) return after;
    const size = this.words[after] as number;
    return after + 1 + textWords(size >>> 1, (size & 1) !== 0);
  }

  #pattern(place: number): RoutePattern {
    const head = this.words[place] as number;
    const name = this.sourceAt(place);
    const kind = KINDS[(head & KIND_MASK) as 0 | 1 | 2 | 3];
    if (kind === "regex") return { kind, source: name };
    return kind === "suffix" ? { kind, name, apex: (head & APEX) !== 0 } : { kind, name };
  }

  #content(number: number): RouteContent {
    const slot = number & (MOST_CONTENTS - 1);
    if (this.#numbers[slot] === number) return this.#contents[slot] as RouteContent;
    const place = this.words[(this.words[HEADER.contents] as number) + number] as number;
    const content = readContent(this.#text(place));
    this.#numbers[slot] = number;
    this.#contents[slot] = content;
    return content;
  }

  #text(place: number): string {
    const size = this.words[place] as number;
    return this.#characters(place + 1, size >>> 1, (size & 1) !== 0);
  }

  #characters(place: number, length: number, isWide: boolean): string {
    const codes = isWide
      ? this.#units.subarray(place * 2, place * 2 + length)
      : this.bytes.subarray(place * 4, place * 4 + length);
    let text = "";
    for (let from = 0; from < length; from += CHUNK) {
      text += String.fromCharCode.apply(null, codes.subarray(from, from + CHUNK) as unknown as number[]);
    }
    return text;
  }
}

/** Every route but the default, in file order. */
export function* routesOf(table: RouteTable): Generator<Route> {
  const reader = new RouteReader(table);
  const end = reader.words[HEADER.entriesEnd] as number;
  for (let place = HEADER.length as number; place < end; place = reader.next(place)) yield reader.readRoute(place);
}

/** Those that name a proxy, a host or an address of this machine, one for each that says something else. */
export function* notedRoutes(table: RouteTable): Generator<Route> {
  const reader = new RouteReader(table);
  const first = reader.words[HEADER.noted] as number;
  const count = reader.words[HEADER.notedCount] as number;
  for (let index = 0; index < count; index++) yield reader.readRoute(reader.words[first + index] as number);
}
