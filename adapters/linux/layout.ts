/**
 * Structures of the kernel in memory: `epoll_event`, `sockaddr`.
 *
 * Owns: where their fields are. Pure: it calls nothing. Both processors are little-endian.
 */

import { type Endpoint, formatIp, parseIp, type TcpEndpoint, writeIpv4 } from "../../src/address.ts";
import { unixEndpoint } from "../shared/endpoint.ts";
import { AF_INET, AF_INET6, AF_UNIX } from "./constants.ts";
import type { Libc } from "./ffi.ts";

/** `struct epoll_event` in 32-bit words: the events are word 0, the data two words from `data` on. */
export interface EventLayout {
  readonly words: number;
  readonly data: number;
}

/** Packed on x86-64 only (epoll_ctl(2)): elsewhere the data is aligned to 8 bytes. */
export function eventLayout(arch: Libc["arch"]): EventLayout {
  return arch === "x64" ? { words: 3, data: 1 } : { words: 4, data: 2 };
}

/** `sockaddr_un`, the longest of the three, rounded up. */
export const SOCKADDR_SIZE = 128;
const PATH_AT = 2;
const PATH_SIZE = 108;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function addressFamily(endpoint: Endpoint): number {
  if (endpoint.kind === "unix") return AF_UNIX;
  return endpoint.ip.includes(":") ? AF_INET6 : AF_INET;
}

/** Writes the endpoint as a `sockaddr` and returns its length; 0 where it has none: a path over 107 bytes. */
export function writeSockaddr(into: Uint8Array, endpoint: Endpoint): number {
  into.fill(0);
  return endpoint.kind === "unix" ? writeUnix(into, endpoint.path) : writeTcp(into, endpoint);
}

function writeUnix(into: Uint8Array, path: string): number {
  const bytes = encoder.encode(path);
  if (bytes.length === 0 || bytes.length >= PATH_SIZE || bytes.includes(0)) return 0;
  into[0] = AF_UNIX;
  into.set(bytes, PATH_AT);
  return PATH_AT + bytes.length + 1;
}

function writeTcp(into: Uint8Array, { ip, port }: TcpEndpoint): number {
  into[2] = port >> 8;
  into[3] = port & 0xff;
  if (writeIpv4(ip, into, 4)) {
    into[0] = AF_INET;
    return 16;
  }
  const address = parseIp(ip);
  if (address === undefined) return 0;
  into[0] = address.family === 4 ? AF_INET : AF_INET6;
  into.set(address.bytes, address.family === 4 ? 4 : 8);
  return address.family === 4 ? 16 : 28;
}

/** The texts of the addresses that came last, by their last byte: clients come again, and share one text. */
const texts: { readonly bytes: number; readonly text: string }[] = new Array(256).fill({ bytes: -1, text: "" });

function ipv4At(from: Uint8Array, at: number): string {
  const last = from[at + 3] as number;
  const bytes =
    (((from[at] as number) << 24) | ((from[at + 1] as number) << 16) | ((from[at + 2] as number) << 8)) >>> 0;
  const known = texts[last] as (typeof texts)[number];
  if (known.bytes === bytes) return known.text;
  const text = formatIp(from.subarray(at, at + 4));
  texts[last] = { bytes, text };
  return text;
}

/** The endpoint of a `sockaddr` that the kernel wrote; IPv4-mapped addresses are IPv4. */
export function readSockaddr(from: Uint8Array, length: number): Endpoint {
  const family = (from[0] as number) | ((from[1] as number) << 8);
  const port = ((from[2] as number) << 8) | (from[3] as number);
  if (family === AF_INET) return { kind: "tcp", ip: ipv4At(from, 4), port };
  if (family === AF_INET6) return { kind: "tcp", ip: formatIp(from.subarray(8, 24)), port };
  const path = from.subarray(PATH_AT, Math.max(PATH_AT, length));
  const end = path.indexOf(0);
  return unixEndpoint(decoder.decode(end < 0 ? path : path.subarray(0, end)));
}
