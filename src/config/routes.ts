/**
 * The map from names to destinations.
 *
 * Owns: reading it, key by key, in linear time. It must not decide which route wins: the router does.
 */

import { parsePattern, patternKey, type RoutePattern, type ToAscii } from "../hostname.ts";
import type { RouteContent } from "../route_table/route_content.ts";
import { RouteTableBuilder } from "../route_table/route_table_builder.ts";
import { toAccess } from "./access_options.ts";
import type { Destination, RouteGuard, RouteOptions, RouteTable } from "./config.ts";
import { parseDestination } from "./destination.ts";
import { type Fault, formatPath, type Path, type Positions, showValue } from "./fault.ts";
import { escapeInvisible, quote } from "./quote.ts";
import { readRouteMap } from "./schema.ts";

export interface RouteContext {
  readonly toAscii: ToAscii;
  /** The names that are defined, rightly or not. */
  readonly upstreams: ReadonlySet<string>;
  readonly positions: Positions;
  readonly faults: Fault[];
}

/** No routes: everything is rejected. */
export const NO_ROUTES: RouteTable = new RouteTableBuilder().finish({ kind: "reject" });

/** Destinations that are remembered by their text. */
const MOST_REMEMBERED = 1_000;

const PLAIN = { allowPrivate: false, via: undefined, bind: undefined };

/** Reads `value`, which stands at `path`; what is wrong goes to `context.faults` and is left out. */
export function readRoutes(value: unknown, path: Path, context: RouteContext): RouteTable {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const reason = "it must be a map from names to destinations, such as 'api.example.com: direct'";
    const message = `Cannot use ${formatPath(path)}${showValue(value)}: ${value === null ? "it is empty; " : ""}${reason}`;
    context.faults.push({ code: "wrong_type", at: path, on: "value", message });
    return NO_ROUTES;
  }
  const before = context.faults.length;
  const reader = new RouteMapReader(path, context);
  reader.readAll(value);
  const table = reader.finish();
  if (!reader.hasDuplicates && context.faults.length === before) return table;
  // Only then is each pattern remembered, to tell those that come again; one whose destination is faulty is in no table.
  context.faults.length = before;
  const again = new RouteMapReader(path, context, new Map());
  again.readAll(value);
  return again.finish();
}

/** Where a route stands. */
interface RoutePlace {
  readonly line: number;
  /** An included file; undefined: the configuration's own. */
  readonly file: string | undefined;
}

/** Reads one route after another into a table. */
class RouteMapReader {
  readonly #path: Path;
  readonly #context: RouteContext;
  readonly #table = new RouteTableBuilder();
  readonly #seen: Map<string, string> | undefined;
  /** Of destinations in text, which are often the same; undefined: they are not. */
  #rights: Map<string, RouteContent> | undefined = new Map();
  #fallback: RouteContent | undefined;

  /** @param seen patterns by their meaning, where those that come again are to be told. */
  constructor(path: Path, context: RouteContext, seen?: Map<string, string>) {
    this.#path = path;
    this.#context = context;
    this.#seen = seen;
  }

  /** Two patterns of the finished table have one meaning. */
  get hasDuplicates(): boolean {
    return this.#table.hasDuplicates;
  }

  readAll(value: object): void {
    const { positions, faults } = this.#context;
    for (const [text, right] of Object.entries(value)) this.read(text, right);
    for (const { file, pairs, doubt } of positions.takenFrom?.(value) ?? []) {
      for (const { key, value: right, line } of pairs()) {
        const { length } = faults;
        this.read(key, right, { line, file });
        if (faults.length > length) doubt(line);
      }
    }
  }

  /** @param place where it stands, if that is known already. */
  read(text: string, right: unknown, place?: RoutePlace): void {
    const at = [...this.#path, text];
    const pattern = readPattern(text, at, this.#seen, this.#context);
    const route = this.#right(text, right, at);
    if (pattern === undefined || route === undefined) return;
    if (pattern.kind !== "default") {
      const { line, file } = place ?? this.#placeOf(at);
      this.#table.add(pattern, file === undefined ? route : { ...route, file }, text, line);
    } else if (isDefault(route.to, at, this.#context)) {
      this.#fallback = route;
    }
  }

  #placeOf(at: Path): RoutePlace {
    const { line, path: file } = this.#context.positions.keyOf(at);
    return { line, file };
  }

  #right(text: string, value: unknown, at: Path): RouteContent | undefined {
    if (typeof value !== "string") return readRight(text, value, at, this.#context);
    const known = this.#rights?.get(value);
    if (known !== undefined) return known;
    const right = readRight(text, value, at, this.#context);
    if (right !== undefined) this.#rights?.set(value, right);
    if (this.#rights?.size === MOST_REMEMBERED) this.#rights = undefined;
    return right;
  }

  finish(): RouteTable {
    if (this.#fallback === undefined) return this.#table.finish(NO_ROUTES.default);
    const { to, allowPrivate: _, via: __, bind: ___, ...guard } = this.#fallback;
    return this.#table.finish(to, Object.keys(guard).length > 0 ? guard : undefined);
  }
}

/** The pattern, unless an earlier key (in `seen`) has the same meaning. */
function readPattern(
  text: string,
  at: Path,
  seen: Map<string, string> | undefined,
  context: RouteContext,
): RoutePattern | undefined {
  const pattern = parsePattern(text, context.toAscii);
  if ("error" in pattern) {
    const message = `Cannot use the route ${quote(text)}: ${escapeInvisible(pattern.error)}`;
    context.faults.push({ code: "bad_pattern", at, on: "key", message });
    return undefined;
  }
  if (seen === undefined) return pattern;
  const key = patternKey(pattern);
  const earlier = seen.get(key);
  if (earlier === undefined) {
    seen.set(key, text);
    return pattern;
  }
  const { line, path: file } = context.positions.keyOf([...at.slice(0, -1), earlier]);
  const where = line === 0 ? "" : ` ${file === undefined ? "" : `in ${escapeInvisible(file)} `}on line ${line}`;
  const message = `Cannot use the route ${quote(text)}: ${quote(earlier)}${where} is for the same names`;
  context.faults.push({ code: "duplicate_route", at, on: "key", message });
  return undefined;
}

function readRight(text: string, value: unknown, at: Path, context: RouteContext): RouteContent | undefined {
  if (typeof value === "string") {
    const to = readDestination(text, value, at, context);
    return to && { to, ...PLAIN };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const reason = "it must be a destination in text (an upstream, host:port, IP, direct, reject) or a map with to";
    const shown = showValue(value);
    const message = `Cannot route ${quote(text)}${shown && ` to${shown}`}: ${reason}`;
    context.faults.push({ code: "wrong_type", at, on: "value", message });
    return undefined;
  }
  const reading = readRouteMap(value, at);
  if ("faults" in reading) {
    context.faults.push(...reading.faults);
    if ("to" in value && typeof value.to === "string") readDestination(text, value.to, [...at, "to"], context);
    return undefined;
  }
  const { allowPrivate, via, bind, rate, onChange } = reading.value;
  const access = toAccess(reading.value, at, context.faults);
  const guard: RouteGuard = {
    ...(access && { access }),
    ...(rate && { rate }),
    ...(onChange !== "keep" && { onChange }),
  };
  const to = readDestination(text, reading.value.to, [...at, "to"], context);
  if (to === undefined || isEgressUnusable(text, to, { via, bind }, at, context)) return undefined;
  if (!allowPrivate || (to.kind === "direct" && via === undefined)) return { to, allowPrivate, via, bind, ...guard };
  const reason =
    via === undefined ? "only direct is ever kept from private addresses" : "the proxy of via resolves names";
  const message = `Cannot use allowPrivate on the route ${quote(text)}: ${reason}`;
  context.faults.push({ code: "conflict", at: [...at, "allowPrivate"], on: "key", message });
  return undefined;
}

/** `via` and `bind` where they would do nothing. */
function isEgressUnusable(
  text: string,
  to: Destination,
  egress: Pick<RouteOptions, "via" | "bind">,
  at: Path,
  context: RouteContext,
): boolean {
  const option = egress.via !== undefined ? "via" : egress.bind !== undefined ? "bind" : undefined;
  if (option === undefined) return false;
  const reason =
    text === "default"
      ? "default takes none; route it to an upstream that has it"
      : to.kind === "reject"
        ? "nothing is connected"
        : to.kind === "unix"
          ? "a unix: socket is on this machine"
          : undefined;
  if (reason === undefined) return false;
  const message = `Cannot use ${option} on the route ${quote(text)}: ${reason}`;
  context.faults.push({ code: "conflict", at: [...at, option], on: "key", message });
  return true;
}

function readDestination(name: string, text: string, at: Path, context: RouteContext): Destination | undefined {
  const to = parseDestination(text, context.upstreams, context.toAscii);
  if (!("error" in to)) return to;
  const message = `Cannot route ${quote(name)} to ${quote(text)}: ${to.error}`;
  context.faults.push({ code: "bad_destination", at, on: "value", message });
  return undefined;
}

function isDefault(to: Destination, at: Path, context: RouteContext): boolean {
  if (to.kind !== "direct") return true;
  const message =
    "Cannot route 'default' to direct: anyone could reach any server through it (an open proxy); " +
    "list the names that may go direct, such as '*.example.com: direct'";
  context.faults.push({ code: "open_proxy", at, on: "value", message });
  return false;
}
