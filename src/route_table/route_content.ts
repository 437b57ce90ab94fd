/**
 * What a route says beyond its pattern, as a text and back.
 *
 * Owns: both directions. Plain destinations, which most routes are, have a short form of their own; anything else is JSON,
 * so that a new option of a route needs nothing here.
 */

import type { Destination, RouteOptions } from "../config/config.ts";

export type RouteContent = Omit<RouteOptions, "text" | "line">;

export function writeContent(content: RouteContent): string {
  if (!isPlain(content)) return `{${JSON.stringify(pack(content))}`;
  const { to, file } = content;
  return file === undefined ? writeDestination(to) : `${writeDestination(to)}\n${file}`;
}

export function readContent(text: string): RouteContent {
  if (text.startsWith("{")) return unpack(JSON.parse(text.slice(1))) as RouteContent;
  const newline = text.indexOf("\n");
  const to = readDestination(newline < 0 ? text : text.slice(0, newline));
  const plain = { to, allowPrivate: false, via: undefined, bind: undefined };
  return newline < 0 ? plain : { ...plain, file: text.slice(newline + 1) };
}

/** `to`, `allowPrivate`, `via` and `bind` stand in each. */
const PLAIN_KEYS = 4;

function isPlain(content: RouteContent): boolean {
  const { allowPrivate, via, bind, file } = content;
  if (allowPrivate || via !== undefined || bind !== undefined) return false;
  return Object.keys(content).length === (file === undefined ? PLAIN_KEYS : PLAIN_KEYS + 1);
}

/** A letter, the port if there is one, a space where more follows, and the rest; none of it has a line's end. */
function writeDestination(to: Destination): string {
  switch (to.kind) {
    case "reject":
      return "r";
    case "direct":
      return `d${to.port ?? ""}`;
    case "upstream":
      return `g ${to.name}`;
    case "ip":
      return `i${to.port ?? ""} ${to.ip}`;
    case "host":
      return `h${to.port} ${to.name}`;
    case "unix":
      return `u ${to.path}`;
  }
}

function readDestination(text: string): Destination {
  const space = text.indexOf(" ");
  const digits = text.slice(1, space < 0 ? undefined : space);
  const port = digits === "" ? undefined : Number(digits);
  const rest = text.slice(space + 1);
  switch (text[0]) {
    case "d":
      return { kind: "direct", port };
    case "g":
      return { kind: "upstream", name: rest };
    case "i":
      return { kind: "ip", ip: rest, port };
    case "h":
      return { kind: "host", name: rest, port: port! };
    case "u":
      return { kind: "unix", path: rest };
    default:
      return { kind: "reject" };
  }
}

/** JSON knows neither `undefined` nor bytes: both, and lists, become lists that begin with a letter. */
function pack(value: unknown): unknown {
  if (value === undefined) return ["u"];
  if (value instanceof Uint8Array) return ["b", ...value];
  if (Array.isArray(value)) return ["a", ...value.map(pack)];
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, pack(member)]));
}

function unpack(value: unknown): unknown {
  if (Array.isArray(value)) {
    const [letter, ...rest] = value;
    return letter === "u" ? undefined : letter === "b" ? Uint8Array.from(rest as number[]) : rest.map(unpack);
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, unpack(member)]));
}
