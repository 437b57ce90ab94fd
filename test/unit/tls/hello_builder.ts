/** Builds ClientHellos, good and broken ones, for tests. */

import { concat, fromText } from "../three_ways.ts";

export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

/** `data` behind its own 16-bit length. */
export function vector16(data: Uint8Array): Uint8Array {
  return concat(uint16(data.length), data);
}

export function vector8(data: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(data.length), data);
}

export function extension(type: number, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return concat(uint16(type), vector16(data));
}

/** One entry of a server_name list. */
export function name(text: string, type = 0): Uint8Array {
  return concat(Uint8Array.of(type), vector16(fromText(text)));
}

export function serverName(...names: readonly Uint8Array[]): Uint8Array {
  return extension(0, vector16(concat(...names)));
}

export function alpn(...protocols: readonly string[]): Uint8Array {
  return extension(16, vector16(concat(...protocols.map((protocol) => vector8(fromText(protocol))))));
}

export interface HelloParts {
  version?: number;
  /** 32 bytes; all 7 if absent. */
  random?: Uint8Array;
  session?: Uint8Array;
  ciphers?: Uint8Array;
  compressions?: Uint8Array;
  /** Contents of the extensions field; `undefined` leaves the field out. */
  extensions?: Uint8Array | undefined;
  /** Behind everything, inside the message. */
  trailer?: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** A hello's body, without the handshake header. */
export function helloBody(parts: HelloParts): Uint8Array {
  return concat(
    uint16(parts.version ?? 0x0303),
    parts.random ?? new Uint8Array(32).fill(7),
    vector8(parts.session ?? NOTHING),
    vector16(parts.ciphers ?? Uint8Array.of(0x13, 0x01)),
    vector8(parts.compressions ?? Uint8Array.of(0)),
    parts.extensions === undefined ? NOTHING : vector16(parts.extensions),
    parts.trailer ?? NOTHING,
  );
}

export function message(body: Uint8Array, type = 1): Uint8Array {
  return concat(Uint8Array.of(type, body.length >>> 16), uint16(body.length & 0xffff), body);
}

export function record(payload: Uint8Array, type = 22, version = 0x0301): Uint8Array {
  return concat(Uint8Array.of(type), uint16(version), vector16(payload));
}

/** `payload` in records of `size` bytes. */
export function records(payload: Uint8Array, size: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += size) parts.push(record(payload.subarray(at, at + size)));
  return concat(...parts);
}

/** A hello in one record. */
export function hello(parts: HelloParts): Uint8Array {
  return record(message(helloBody(parts)));
}
