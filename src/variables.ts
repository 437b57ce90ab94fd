/**
 * The variables by which log formats, and later hash keys and limits, read a connection.
 *
 * Owns: one table, with nginx's names where it has one (ngx_stream_core, ngx_stream_ssl_preread,
 * ngx_stream_upstream). A name is compiled to an accessor once. It must not format or escape: what
 * came from the wire is raw here.
 */

import type { Endpoint } from "./address.ts";
import { type ConnectionRecord, uniqueId } from "./connection_record.ts";

export type VariableValue = string | number | undefined;
export type Accessor = (record: ConnectionRecord) => VariableValue;

const TLS_VERSION_NAMES = new Map([
  [0x0300, "SSLv3"],
  [0x0301, "TLSv1"],
  [0x0302, "TLSv1.1"],
  [0x0303, "TLSv1.2"],
  [0x0304, "TLSv1.3"],
]);

/** The highest version a client offers, by nginx's name; GREASE (RFC 8701) is passed over. */
function offeredVersion(versions: readonly number[]): string | undefined {
  const known = versions.filter((version) => TLS_VERSION_NAMES.has(version));
  return known.length === 0 ? undefined : TLS_VERSION_NAMES.get(Math.max(...known));
}

const ip = (endpoint: Endpoint): string => (endpoint.kind === "tcp" ? endpoint.ip : "unix:");
const port = (endpoint: Endpoint): number | undefined => (endpoint.kind === "tcp" ? endpoint.port : undefined);
const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);

interface Variable {
  readonly description: string;
  readonly read: Accessor;
  /** It is not known before a server was chosen. */
  readonly late?: true;
}

/** Every variable: its name without `$`, what it holds, and how to read it. The README's table is made from it. */
export const VARIABLES: Readonly<Record<string, Variable>> = {
  remote_addr: { description: "client's address", read: (r) => ip(r.client) },
  remote_port: { description: "client's port", read: (r) => port(r.client) },
  realip_remote_addr: { description: "peer's address, before a PROXY header changed it", read: (r) => ip(r.peer) },
  server_addr: { description: "address the client connected to", read: (r) => ip(r.server) },
  server_port: { description: "port the client connected to", read: (r) => port(r.server) },
  listener: { description: "listener's address", read: (r) => r.listener },
  protocol: {
    description:
      "`tls`, `http` or `postgres`; on a listener for `any` what was found: also `ssh`, `other` or `silent`; `any` if it left before that was known",
    read: (r) => r.protocol,
  },
  connection: { description: "serial number of the connection", read: (r) => r.id },
  unique_id: {
    description:
      "identifier that no other connection of this machine has; servers get it with `proxyProtocol.uniqueId`",
    read: uniqueId,
  },
  ssl_preread_server_name: {
    description: "server name of the ClientHello, normalised",
    read: (r) => (r.protocol === "http" ? undefined : r.serverName),
  },
  ssl_preread_alpn_protocols: {
    description: "ALPN protocols offered, joined by commas",
    read: (r) => r.alpn.join(","),
  },
  ssl_preread_protocol: { description: "highest TLS version offered", read: (r) => offeredVersion(r.tlsVersions) },
  host: {
    description: "host of the HTTP request, normalised",
    read: (r) => (r.protocol === "http" ? r.serverName : undefined),
  },
  server_name: { description: "the name that was routed, from either protocol", read: (r) => r.serverName },
  route: { description: "route that matched, as written", read: (r) => r.route },
  upstream_addr: {
    description: "servers tried, joined by commas; the last one is who answered",
    late: true,
    read: (r) => r.attempts.map((attempt) => attempt.address).join(", "),
  },
  upstream_connect_time: {
    description: "seconds until a server answered",
    late: true,
    read: (r) => (r.connectTime === undefined ? undefined : seconds(r.connectTime)),
  },
  bytes_received: { description: "bytes read from the client", late: true, read: (r) => r.bytesReceived },
  bytes_sent: { description: "bytes sent to the client", late: true, read: (r) => r.bytesSent },
  session_time: { description: "seconds from accept to end", late: true, read: (r) => seconds(r.duration) },
  msec: {
    description: "seconds since the epoch at the end",
    late: true,
    read: (r) => seconds(r.acceptedAt + r.duration),
  },
  time_iso8601: {
    description: "time at the end, ISO 8601 in UTC",
    late: true,
    read: (r) => new Date(r.acceptedAt + r.duration).toISOString(),
  },
  reason: { description: "reason code", late: true, read: (r) => r.reason },
  would_reject: {
    description: "reason code of the limit or the list that would have refused it, were it no dry run",
    late: true,
    read: (r) => r.wouldReject,
  },
  detail: { description: "what exactly happened, when it went wrong", late: true, read: (r) => r.detail },
};

/** How to read the variable `name` (without `$`), or undefined when there is none of that name. */
export function variable(name: string): Accessor | undefined {
  return Object.hasOwn(VARIABLES, name) ? VARIABLES[name]!.read : undefined;
}

/** Where `$name` or `${name}` stands in a text. */
export const VARIABLE_REFERENCE = /\$(?:([a-z0-9_]+)|\{([a-z0-9_]+)\})/g;

/** The first variable of a text that does not exist, or undefined when all do. */
export function unknownVariable(text: string): string | undefined {
  for (const found of text.matchAll(VARIABLE_REFERENCE)) {
    const name = (found[1] ?? found[2])!;
    if (variable(name) === undefined) return name;
  }
  return undefined;
}

/** A text with `$variables` as a function of the connection; what has no value is empty. All of them must exist. */
export function compileText(text: string): (record: ConnectionRecord) => string {
  const parts: (string | Accessor)[] = [];
  let from = 0;
  for (const found of text.matchAll(VARIABLE_REFERENCE)) {
    if (found.index > from) parts.push(text.slice(from, found.index));
    parts.push(variable((found[1] ?? found[2])!)!);
    from = found.index + found[0].length;
  }
  if (from < text.length) parts.push(text.slice(from));
  return (record) => parts.map((part) => (typeof part === "string" ? part : String(part(record) ?? ""))).join("");
}
