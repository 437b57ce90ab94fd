/**
 * Endpoints as the three runtimes report them.
 *
 * Owns: the way from a runtime's address to `Endpoint`. It parses nothing else: addresses of the kernel are canonical.
 */

import type { Endpoint, TcpEndpoint } from "../../src/address.ts";

const MAPPED = "::ffff:";

/**
 * An address that the kernel gave: IPv4-mapped ones (RFC 4291 §2.5.5.2) become IPv4, a zone (`%eth0`) is dropped.
 */
export function tcpEndpoint(ip: string, port: number): Endpoint {
  const zone = ip.indexOf("%");
  const plain = zone < 0 ? ip : ip.slice(0, zone);
  const mapped = plain.startsWith(MAPPED) && plain.includes(".");
  return { kind: "tcp", ip: mapped ? plain.slice(MAPPED.length) : plain, port };
}

/** A `unix:` endpoint; the side that never bound a path has an empty one. */
export function unixEndpoint(path: string | null | undefined): Endpoint {
  return { kind: "unix", path: path ?? "" };
}

/** The one of `addresses` that a connection to `endpoint` can come from. */
export function localAddress(endpoint: TcpEndpoint, addresses: readonly string[] = []): string | undefined {
  const isV6 = endpoint.ip.includes(":");
  return addresses.find((address) => address.includes(":") === isV6);
}

/** One line for a message: `10.0.0.1:443`, `[::1]:443`, `unix:/run/a.sock`. */
export function endpointText(endpoint: Endpoint): string {
  if (endpoint.kind === "unix") return `unix:${endpoint.path}`;
  const host = endpoint.ip.includes(":") ? `[${endpoint.ip}]` : endpoint.ip;
  return `${host}:${endpoint.port}`;
}
