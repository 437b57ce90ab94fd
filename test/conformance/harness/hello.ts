/**
 * First messages of TLS clients, and what the proxy says to them before it closes.
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { concat } from "../../unit/three_ways.ts";
import { alpn, extension, helloBody, message, name, records, serverName } from "../../unit/tls/hello_builder.ts";

/** RFC 8446 §5.1. */
const MAX_RECORD = 16_384;

export interface HelloOptions {
  readonly alpn?: readonly string[];
  /** Bytes of padding (RFC 7685). */
  readonly padding?: number;
  /** TLS 1.3 is not offered. */
  readonly onlyTls12?: boolean;
  /** 32 bytes; chance if absent. */
  readonly random?: Uint8Array;
}

/** A ClientHello for `host`; undefined: without a name. */
export function helloFor(host: string | undefined, options: HelloOptions = {}): Buffer {
  const extensions = [
    host === undefined ? new Uint8Array(0) : serverName(name(host)),
    options.alpn === undefined ? new Uint8Array(0) : alpn(...options.alpn),
    options.onlyTls12 ? new Uint8Array(0) : extension(43, Uint8Array.of(4, 3, 4, 3, 3)),
    options.padding === undefined ? new Uint8Array(0) : extension(21, new Uint8Array(options.padding)),
  ];
  // As every real client's: its own.
  const random = options.random ?? randomBytes(32);
  return Buffer.from(records(message(helloBody({ random, extensions: concat(...extensions) })), MAX_RECORD));
}

const ALERT_NAMES: ReadonlyMap<number, string> = new Map([
  [10, "unexpected_message"],
  [22, "record_overflow"],
  [40, "handshake_failure"],
  [47, "illegal_parameter"],
  [49, "access_denied"],
  [50, "decode_error"],
  [70, "protocol_version"],
  [80, "internal_error"],
  [109, "missing_extension"],
  [112, "unrecognized_name"],
]);

/** The fatal alert that `bytes` are: its name (RFC 8446 §6); anything else in hex, nothing as "". */
export function alertIn(bytes: Uint8Array): string {
  if (bytes.length === 0) return "";
  const [type, major, , high, low, level, description] = bytes;
  const isAlert =
    bytes.length === 7 &&
    type === 21 &&
    major === 3 &&
    high === 0 &&
    low === 2 &&
    level === 2 &&
    description !== undefined;
  return (isAlert ? ALERT_NAMES.get(description) : undefined) ?? `not one alert: ${Buffer.from(bytes).toString("hex")}`;
}
