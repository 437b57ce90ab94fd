/**
 * HTTPS records: RFC 9460 (service bindings), with ECH (RFC 9848). What leads clients to a service by other ways than its
 * addresses.
 *
 * Owns: reading one record's data. It must not decide what a client makes of it.
 */

import { formatIp } from "../address.ts";
import { Reader } from "../bytes.ts";
import type { BindingRecord } from "../host.ts";
import { readName, STRANGE_NAME } from "./dns_name.ts";

/** RFC 9460 §14.3.2. */
const KEYS = { alpn: 1, port: 3, ipv4hint: 4, ech: 5, ipv6hint: 6 } as const;
/** Of one record; more are a mistake or a trap. */
const MOST_PARAMETERS = 64;

/** Reads a record's data, which stands in `message` where `reader` is; undefined where it breaks the format. */
export function readServiceBinding(reader: Reader, message: Uint8Array): BindingRecord | undefined {
  const priority = reader.uint16();
  // RFC 9460 §2.2: the target is not compressed; whoever does compress it is understood all the same.
  const target = readName(reader, message);
  if (reader.failed || target === undefined || target === STRANGE_NAME) return undefined;
  const alpn: string[] = [];
  const hints: string[] = [];
  let port: number | undefined;
  let ech = false;
  let last = -1;
  for (let count = 0; reader.remaining > 0; count++) {
    const key = reader.uint16();
    const value = reader.take(reader.uint16());
    // RFC 9460 §2.2: in ascending order, each once.
    if (reader.failed || key <= last || count === MOST_PARAMETERS) return undefined;
    last = key;
    if (key === KEYS.alpn && !readProtocols(value, alpn)) return undefined;
    if (key === KEYS.port) port = value.length === 2 ? new Reader(value).uint16() : undefined;
    if (key === KEYS.ech) ech = value.length > 0;
    if (key === KEYS.ipv4hint || key === KEYS.ipv6hint) readHints(value, key === KEYS.ipv4hint ? 4 : 16, hints);
  }
  return { priority, target, alpn, port, ech, hints };
}

function readProtocols(value: Uint8Array, alpn: string[]): boolean {
  const reader = new Reader(value);
  while (reader.remaining > 0) {
    const text = reader.text(reader.uint8());
    if (reader.failed || text === "") return false;
    alpn.push(text);
  }
  return true;
}

function readHints(value: Uint8Array, size: number, hints: string[]): void {
  const reader = new Reader(value);
  while (reader.remaining >= size) hints.push(formatIp(reader.take(size)));
}
