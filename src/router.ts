/**
 * Finds the route of a name.
 *
 * Owns: the precedence (as nginx's `map` with `hostnames`): exact, longest leading wildcard, longest trailing
 * wildcard, regular expressions in file order, default. It must not normalise: names come canonical from
 * `hostname.ts`, and nothing of a name is ever looked up in a plain object. Whatever the name, a look-up ends after a
 * number of steps that the table knows.
 */

import type { Route, RouteTable } from "./config/config.ts";
import { patternRegex } from "./hostname.ts";
import { ENTRY, HEADER, INDEX, LENGTH_SHIFT, SLOT_WORDS } from "./route_table/layout.ts";
import { hashEnd, hashStep } from "./route_table/name_hash.ts";
import { RouteReader } from "./route_table/route_reader.ts";

const DOT = 0x2e;
/** Dots of the longest name. */
const MOST_DOTS = 128;

/** Names that are remembered, twice. */
const MOST_NAMES = 4096;

/** A name's dots, and the hashes of what is behind, or before, each of them; for one look-up at a time. */
const dots = new Int32Array(MOST_DOTS);
const hashes = new Int32Array(MOST_DOTS);

export class Router {
  readonly #default: Route;
  readonly #reader: RouteReader;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #seed: number;
  readonly #hasSuffixes: boolean;
  readonly #hasPrefixes: boolean;
  readonly #regexCount: number;
  readonly #regexes: RegExp[] = [];
  /** Routes by the names that were asked for: the text that is hashed by the engine itself costs the least. */
  #recent = new Map<string, Route>();
  #older = new Map<string, Route>();

  /** @param fallback what everything else gets. */
  constructor(table: Pick<RouteTable, "memory" | "size">, fallback: Route) {
    this.#default = fallback;
    this.#reader = new RouteReader(table);
    this.#words = this.#reader.words;
    this.#bytes = this.#reader.bytes;
    this.#seed = this.#words[HEADER.seed] as number;
    this.#hasSuffixes = (this.#words[HEADER.suffix + INDEX.farthest] as number) >= 0;
    this.#hasPrefixes = (this.#words[HEADER.prefix + INDEX.farthest] as number) >= 0;
    this.#regexCount = this.#words[HEADER.regexCount] as number;
  }

  /** The route of a canonical name; of `undefined` (no name was sent) the default. The route's `kind` says how it matched. */
  match(name: string | undefined): Route {
    if (name === undefined) return this.#default;
    return this.#recent.get(name) ?? this.#older.get(name) ?? this.#search(name);
  }

  #search(name: string): Route {
    const route = this.#find(name);
    // Names without a route are the ones that strangers think of: they take nobody's place.
    if (route === undefined) return this.#default;
    if (this.#recent.size === MOST_NAMES) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(name, route);
    return route;
  }

  #find(name: string): Route | undefined {
    const place = this.#hasSuffixes ? this.#matchEnds(name) : this.#matchExact(name);
    if (place !== 0) return this.#reader.routeAt(place);
    return this.#matchPrefix(name) ?? this.#matchRegex(name);
  }

  #matchExact(name: string): number {
    let hash = this.#seed;
    for (let at = name.length - 1; at >= 0; at--) hash = hashStep(hash, name.charCodeAt(at));
    return this.#probe(HEADER.exact, hashEnd(hash), name, 0, name.length);
  }

  /** The name itself (`.name` stands there too, where nothing exact does), then what is behind each dot, the longest first. */
  #matchEnds(name: string): number {
    let hash = this.#seed;
    let count = 0;
    for (let at = name.length - 1; at >= 0; at--) {
      const code = name.charCodeAt(at);
      if (code === DOT && count < MOST_DOTS) {
        dots[count] = at;
        hashes[count++] = hash;
      }
      hash = hashStep(hash, code);
    }
    let place = this.#probe(HEADER.exact, hashEnd(hash), name, 0, name.length);
    while (place === 0 && count-- > 0) {
      place = this.#probe(
        HEADER.suffix,
        hashEnd(hashes[count] as number),
        name,
        (dots[count] as number) + 1,
        name.length,
      );
    }
    return place;
  }

  #matchPrefix(name: string): Route | undefined {
    if (!this.#hasPrefixes) return undefined;
    let hash = this.#seed;
    let count = 0;
    for (let at = 0; at < name.length; at++) {
      const code = name.charCodeAt(at);
      if (code === DOT && at > 0 && count < MOST_DOTS) {
        dots[count] = at;
        hashes[count++] = hash;
      }
      hash = hashStep(hash, code);
    }
    while (count-- > 0) {
      const place = this.#probe(HEADER.prefix, hashEnd(hashes[count] as number), name, 0, dots[count] as number);
      if (place !== 0) return this.#reader.routeAt(place);
    }
    return undefined;
  }

  #matchRegex(name: string): Route | undefined {
    const first = this.#words[HEADER.regexes] as number;
    for (let index = 0; index < this.#regexCount; index++) {
      const place = this.#words[first + index] as number;
      const regex = this.#regexes[index] ?? this.#compile(index, place);
      if (regex.test(name)) return this.#reader.routeAt(place);
    }
    return undefined;
  }

  #compile(index: number, place: number): RegExp {
    const regex = patternRegex(this.#reader.sourceAt(place));
    this.#regexes[index] = regex;
    return regex;
  }

  /** The entry of `name[from, to)` in one of the hash tables; 0 where there is none. */
  #probe(index: number, hash: number, name: string, from: number, to: number): number {
    const words = this.#words;
    const slots = words[index + INDEX.slots] as number;
    const mask = words[index + INDEX.mask] as number;
    let slot = hash & mask;
    for (let left = words[index + INDEX.farthest] as number; left >= 0; left--) {
      const at = slots + slot * SLOT_WORDS;
      const place = words[at + 1] as number;
      if (place === 0) return 0;
      if (words[at] === hash && this.#isName(place, name, from, to)) return place;
      slot = (slot + 1) & mask;
    }
    return 0;
  }

  #isName(place: number, name: string, from: number, to: number): boolean {
    if ((this.#words[place] as number) >>> LENGTH_SHIFT !== to - from) return false;
    const bytes = this.#bytes;
    const shift = (place + ENTRY.name) * 4 - from;
    for (let at = from; at < to; at++) if (bytes[shift + at] !== name.charCodeAt(at)) return false;
    return true;
  }
}
