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

const PLAIN = { allowPrivate: false, via: undefined, bind: undefined };

/** Reads `value`, which stands at `path`; what is wrong goes to `context.faults` and is left out. */
export function readRoutes(value: unknown, path: Path, context: RouteContext): RouteTable {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const reason = "it must be a map from names to destinations, such as 'api.example.com: direct'";
    const message = `Cannot use ${formatPath(path)}${showValue(value)}: ${value === null ? "it is empty; " : ""}${reason}`;
    context.faults.push({ code: "wrong_type", at: path, on: "value", message });
    return NO_ROUTES;
  }
  const table = new RouteTableBuilder();
  const seen = new Map<string, string>();
  let fallback: RouteContent | undefined;
  for (const [text, right] of Object.entries(value)) {
    const at = [...path, text];
    const pattern = readPattern(text, at, seen, context);
    const route = readRight(text, right, at, context);
    if (pattern === undefined || route === undefined) continue;
    if (pattern.kind !== "default") {
      const { line, path: file } = context.positions.keyOf(at);
      table.add(pattern, file === undefined ? route : { ...route, file }, text, line);
    } else if (isDefault(route.to, at, context)) {
      fallback = route;
    }
  }
  if (fallback === undefined) return table.finish(NO_ROUTES.default);
  const { to, allowPrivate: _, via: __, bind: ___, ...guard } = fallback;
  return table.finish(to, Object.keys(guard).length > 0 ? guard : undefined);
}

/** The pattern, unless an earlier key (in `seen`) has the same meaning. */
function readPattern(
  text: string,
  at: Path,
  seen: Map<string, string>,
  context: RouteContext,
): RoutePattern | undefined {
  const pattern = parsePattern(text, context.toAscii);
  if ("error" in pattern) {
    const message = `Cannot use the route ${quote(text)}: ${escapeInvisible(pattern.error)}`;
    context.faults.push({ code: "bad_pattern", at, on: "key", message });
    return undefined;
  }
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
