/**
 * Destinations as text: what stands to the right of a route, and in an upstream's `servers`.
 *
 * Owns: their grammar. It must not resolve names. Bare IPv6 is refused: `::1:443` could be read two ways
 * (RFC 5952 §6 asks for brackets).
 */

import { canonicalIp, parseEndpoint, parsePort } from "../address.ts";
import { normalizeConfigName, type ToAscii } from "../hostname.ts";
import type { Destination, Target } from "./config.ts";
import { suggestion } from "./quote.ts";

/** A reason, to stand behind a colon. No user text in it but escaped. */
export interface Refusal {
  readonly error: string;
}

export const PORT_RANGE = "a port is a number from 1 to 65535";
export const BRACKETS = "an IPv6 address stands in brackets: [2001:db8::1]:443";

/** What an IPv4 address looks like to a resolver: its last label is a number, decimal or hexadecimal. */
const LIKE_IPV4 = /(^|\.)([0-9]+|0x[0-9a-f]*)$/;

function parseBracketed(text: string): Target | Refusal {
  const close = text.indexOf("]");
  const inside = text.slice(1, close < 0 ? undefined : close);
  const ip = canonicalIp(inside);
  if (close < 0 || ip === undefined || !inside.includes(":")) return { error: BRACKETS };
  if (close === text.length - 1) return { kind: "ip", ip, port: undefined };
  const port = text[close + 1] === ":" ? parsePort(text.slice(close + 2)) : undefined;
  return port === undefined ? { error: PORT_RANGE } : { kind: "ip", ip, port };
}

function parseHostPort(host: string, portText: string, toAscii: ToAscii): Target | Refusal {
  if (host.includes(":")) return { error: BRACKETS };
  const port = parsePort(portText);
  if (port === undefined) return { error: PORT_RANGE };
  const ip = canonicalIp(host);
  if (ip !== undefined) return { kind: "ip", ip, port };
  const name = normalizeConfigName(host, toAscii);
  if (name === undefined) return { error: "the part before the port is neither a host name nor an IP address" };
  if (LIKE_IPV4.test(name)) return { error: "an IPv4 address has four numbers from 0 to 255 without leading zeros" };
  return { kind: "host", name, port };
}

/** Parses `IP`, `IP:port`, `[IPv6]`, `[IPv6]:port`, `host:port` or `unix:/path`. */
export function parseTarget(text: string, toAscii: ToAscii): Target | Refusal {
  if (text === "") return { error: "it is empty" };
  if (text.startsWith("unix:")) {
    const endpoint = parseEndpoint(text);
    if (endpoint?.kind === "unix") return endpoint;
    return { error: "the path after unix: must be absolute, of printable characters, at most 107 bytes" };
  }
  if (text.includes("/")) return { error: "it must be host:port, without https:// and without a path" };
  if (text.startsWith("[")) return parseBracketed(text);
  const colon = text.lastIndexOf(":");
  if (colon >= 0) return parseHostPort(text.slice(0, colon), text.slice(colon + 1), toAscii);
  const ip = canonicalIp(text);
  if (ip !== undefined) return { kind: "ip", ip, port: undefined };
  if (LIKE_IPV4.test(text)) return { error: "an IPv4 address has four numbers from 0 to 255 without leading zeros" };
  return { error: "a host name needs a port, as in api.example.com:443" };
}

const WORDS = ["direct", "reject"];

/** Parses a route's right side. `upstreams` are the names that are defined. */
export function parseDestination(
  text: string,
  upstreams: ReadonlySet<string>,
  toAscii: ToAscii,
): Destination | Refusal {
  if (text === "reject") return { kind: "reject" };
  if (text === "direct") return { kind: "direct", port: undefined };
  if (text.startsWith("direct:")) {
    const port = parsePort(text.slice("direct:".length));
    return port === undefined ? { error: PORT_RANGE } : { kind: "direct", port };
  }
  if (upstreams.has(text)) return { kind: "upstream", name: text };
  const target = parseTarget(text, toAscii);
  if (!("error" in target) || text === "" || /[:/[]/.test(text) || LIKE_IPV4.test(text)) return target;
  return { error: `no upstream has that name${unknownUpstream(text, upstreams)}` };
}

function unknownUpstream(text: string, upstreams: ReadonlySet<string>): string {
  const near = suggestion(text, [...WORDS, ...upstreams]);
  return near === "" ? "; define it under upstreams, or write host:port" : near;
}

const UPSTREAM_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Why `name` cannot be an upstream's, if so: a route must not be able to mean something else by it. */
export function refuseUpstreamName(name: string): string | undefined {
  if (["direct", "reject", "default"].includes(name)) return `${name} has a meaning of its own in routes`;
  if (!UPSTREAM_NAME.test(name)) return "a name has 1 to 64 letters, digits, '-', '_' and '.', a letter or digit first";
  return LIKE_IPV4.test(name) ? "it looks like an IP address" : undefined;
}
