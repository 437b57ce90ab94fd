/**
 * Writes a route table, route by route.
 *
 * Owns: all writing into a table's memory, and what is noted of its routes for those who need only some of them. It checks
 * nothing, but says whether two patterns had one meaning: the later one of them then counts.
 */

import type { Destination, RouteGuard, RouteTable } from "../config/config.ts";
import type { RoutePattern } from "../hostname.ts";
import { ContentIndex } from "./content_index.ts";
import {
  APEX,
  HEADER,
  INDEX,
  KIND_MASK,
  KINDS,
  LENGTH_SHIFT,
  OWN_TEXT,
  PREFIX,
  REGEX,
  SUFFIX,
  WIDE,
} from "./layout.ts";
import { buildIndexes, EMPTY_INDEX, isExact } from "./name_index.ts";
import { patternText } from "./pattern_text.ts";
import { type RouteContent, writeContent } from "./route_content.ts";
import { isWide, WordArea } from "./word_area.ts";

/** Exact names that are noted of each upstream. */
export const NOTED_NAMES = 8;

export type TablePattern = Exclude<RoutePattern, { kind: "default" }>;

export class RouteTableBuilder {
  readonly #entries = new WordArea();
  readonly #contents = new ContentIndex();
  /** The last one, which may well be the next one too. */
  #lastContent: RouteContent | undefined;
  #lastNumber = -1;
  readonly #places = { exact: new WordArea(), suffix: new WordArea(), prefix: new WordArea(), regex: new WordArea() };
  readonly #noted = new WordArea();
  readonly #upstreams = new Map<string, string[]>();
  #size = 0;
  #hasOnChange = false;
  /** Of regular expressions. */
  readonly #sources = new Set<string>();
  #hasDuplicates = false;

  constructor() {
    // Places are those of the finished table, and none is 0.
    for (let word = 0; word < HEADER.length; word++) this.#entries.push(0);
  }

  /** Two routes of the finished table have one meaning. */
  get hasDuplicates(): boolean {
    return this.#hasDuplicates;
  }

  get size(): number {
    return this.#size;
  }

  /** @param text the pattern as written. @param line where, 1-based; 0 if not in a file. */
  add(pattern: TablePattern, content: RouteContent, text: string, line: number): void {
    const place = this.#entries.length;
    const name = pattern.kind === "regex" ? pattern.source : pattern.name;
    const ownText = text !== patternText(pattern);
    const wide = pattern.kind === "regex" && isWide(name);
    const apex = pattern.kind === "suffix" && pattern.apex;
    const flags = (apex ? APEX : 0) | (ownText ? OWN_TEXT : 0) | (wide ? WIDE : 0);
    this.#entries.push((name.length << LENGTH_SHIFT) | flags | KINDS.indexOf(pattern.kind));
    this.#entries.push(this.#contentNumber(content, place));
    this.#entries.push(line);
    this.#entries.pushCharacters(name, wide);
    if (ownText) this.#entries.pushText(text);
    this.#size++;
    this.#index(place);
    if (pattern.kind === "regex") this.#sources.add(name);
    if (content.to.kind === "upstream") this.#noteUpstream(content.to.name, pattern);
  }

  /** The table; `fallback` is where everything else goes. The builder is used up. */
  finish(fallback: Destination, guard?: RouteGuard): RouteTable {
    return {
      memory: this.#lay(),
      size: this.#size,
      upstreams: this.#upstreams,
      default: fallback,
      ...(guard && { defaultGuard: guard }),
      ...((this.#hasOnChange || guard?.onChange !== undefined) && { hasOnChange: true }),
    };
  }

  #contentNumber(content: RouteContent, place: number): number {
    if (content === this.#lastContent) return this.#lastNumber;
    const { size } = this.#contents;
    const number = this.#contents.numberOf(writeContent(content));
    if (number === size) {
      if (isNoted(content)) this.#noted.push(place);
      this.#hasOnChange ||= content.onChange !== undefined;
    }
    this.#lastContent = content;
    this.#lastNumber = number;
    return number;
  }

  #index(place: number): void {
    const head = this.#entries.words[place] as number;
    const { exact, suffix, prefix, regex } = this.#places;
    const kind = head & KIND_MASK;
    if (isExact(head)) exact.push(place);
    if (kind === SUFFIX) suffix.push(place);
    if (kind === PREFIX) prefix.push(place);
    if (kind === REGEX) regex.push(place);
  }

  #noteUpstream(upstream: string, pattern: RoutePattern): void {
    let names = this.#upstreams.get(upstream);
    if (names === undefined) {
      names = [];
      this.#upstreams.set(upstream, names);
    }
    if (pattern.kind === "exact" && names.length < NOTED_NAMES) names.push(pattern.name);
  }

  #lay(): SharedArrayBuffer {
    const entries = this.#entries.words.subarray(0, this.#entries.length);
    const { exact, suffix, prefix, regex } = this.#places;
    const { seed, indexes, duplicates } = buildIndexes(entries, [exact, suffix, prefix].map(filled));
    const [contents, contentPlaces] = [filled(this.#contents.area), filled(this.#contents.places)];
    const parts = [
      entries,
      contents,
      contentPlaces,
      ...indexes.map(({ slots }) => slots),
      filled(regex),
      filled(this.#noted),
    ];
    const starts = startsOf(parts);
    this.#hasDuplicates = duplicates > 0 || this.#sources.size < regex.length;
    const memory = new SharedArrayBuffer(4 * starts.at(-1)!);
    const words = new Int32Array(memory);
    for (const [index, part] of parts.entries()) words.set(part, starts[index]);
    words[HEADER.entries] = HEADER.length;
    words[HEADER.entriesEnd] = entries.length;
    words[HEADER.contents] = starts[2]!;
    for (let at = 0; at < contentPlaces.length; at++) words[starts[2]! + at]! += starts[1]!;
    [HEADER.exact, HEADER.suffix, HEADER.prefix].forEach((header, index) => {
      const { slots, farthest } = indexes[index] ?? EMPTY_INDEX;
      words[header + INDEX.slots] = starts[3 + index]!;
      words[header + INDEX.mask] = slots.length / 2 - 1;
      words[header + INDEX.farthest] = farthest;
    });
    words[HEADER.seed] = seed;
    words[HEADER.regexes] = starts[6]!;
    words[HEADER.regexCount] = regex.length;
    words[HEADER.noted] = starts[7]!;
    words[HEADER.notedCount] = this.#noted.length;
    return memory;
  }
}

function filled({ words, length }: WordArea): Int32Array {
  return words.subarray(0, length);
}

/** Where each part begins, and where the last one ends. */
function startsOf(parts: readonly Int32Array[]): number[] {
  const starts = [0];
  for (const { length } of parts) starts.push(starts.at(-1)! + length);
  return starts;
}

/** Whether a program that runs must know of it before a connection comes: it names a proxy, a host or an address of this machine. */
function isNoted({ to, via, bind }: RouteContent): boolean {
  return via !== undefined || bind !== undefined || to.kind === "host";
}
