/**
 * The PROXY protocol's header, versions 1 and 2 (HAProxy's proxy-protocol.txt, 2.1 and 2.2): who the
 * client of the proxy in front of us is.
 *
 * Owns: reading it, strictly, because what it says is trusted. Whether it may be trusted, and that it is
 * there at all, is the listener's configuration: it is never guessed.
 */

import { canonicalIp, type Endpoint, formatIp, parsePort } from "../address.ts";
import { byteAt, hasAscii, latin1, Reader, uint16At } from "../bytes.ts";
import { NEED_MORE, type NeedMore, ParseError } from "../errors.ts";
import { crc32c } from "./crc32c.ts";

/** `not_proxy`: the first bytes are of neither version. */
export type ProxyErrorCode = "not_proxy" | "malformed_proxy_header";

export interface ProxyHeader {
  readonly version: 1 | 2;
  /** `LOCAL`: the proxy speaks for itself (a health check); the connection's own addresses count. */
  readonly command: "LOCAL" | "PROXY";
  /** Absent with `LOCAL`, and where the sender does not know or the protocol is not one over a stream. */
  readonly source?: Endpoint;
  readonly destination?: Endpoint;
  /** Length of the header. */
  readonly bytes: number;
}

const V1_START = "PROXY ";
/** With its CRLF. */
const V1_MAX_BYTES = 107;
const CR = 0x0d;
const LF = 0x0a;
const V2_SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const V2_FIXED_BYTES = 16;
/** Addresses and TLVs. The specification allows 65535 but asks for a few hundred. */
const V2_MAX_REST = 4096;

type Answer = ProxyHeader | NeedMore | ParseError<ProxyErrorCode>;

/**
 * @param buffer all bytes so far. Every call starts anew, at a cost bounded by 107 bytes (version 1) or, once
 *   the whole header is there, by its length.
 */
export function readProxyHeader(buffer: Uint8Array): Answer {
  const first = byteAt(buffer, 0);
  if (first < 0) return NEED_MORE;
  const isV2 = first === V2_SIGNATURE.charCodeAt(0);
  const start = isV2 ? V2_SIGNATURE : V1_START;
  const there = Math.min(buffer.length, start.length);
  if (!hasAscii(buffer, 0, start.slice(0, there))) {
    return new ParseError("not_proxy", 0, "neither PROXY protocol version 1 nor 2");
  }
  if (there < start.length) return NEED_MORE;
  return isV2 ? readV2(buffer) : readV1(buffer);
}

function malformed(offset: number, detail: string): ParseError<ProxyErrorCode> {
  return new ParseError("malformed_proxy_header", offset, detail);
}

// --- version 1: one line of text ---

function readV1(buffer: Uint8Array): Answer {
  let at = V1_START.length;
  for (; byteAt(buffer, at) !== CR; at++) {
    if (byteAt(buffer, at) < 0) return NEED_MORE;
    // Here at the latest CR had to be.
    if (at === V1_MAX_BYTES - 2) return malformed(at, "line longer than 107 bytes");
  }
  const lf = byteAt(buffer, at + 1);
  if (lf < 0) return NEED_MORE;
  if (lf !== LF) return malformed(at + 1, "CR without LF");
  const header = parseV1(latin1(buffer, V1_START.length, at), at + 2);
  return header ?? malformed(V1_START.length, "addresses are not as the version 1 form has them");
}

function parseV1(text: string, bytes: number): ProxyHeader | undefined {
  const fields = text.split(" ");
  // Whatever follows UNKNOWN is to be ignored.
  if (fields[0] === "UNKNOWN") return { version: 1, command: "PROXY", bytes };
  const [family, from, to, fromPort, toPort] = fields;
  if (fields.length !== 5 || (family !== "TCP4" && family !== "TCP6")) return undefined;
  const source = v1Endpoint(family, from as string, fromPort as string);
  const destination = v1Endpoint(family, to as string, toPort as string);
  if (source === undefined || destination === undefined) return undefined;
  return { version: 1, command: "PROXY", source, destination, bytes };
}

function v1Endpoint(family: "TCP4" | "TCP6", ip: string, port: string): Endpoint | undefined {
  // An IPv4-mapped address belongs to TCP6 by its text, whatever family it is afterwards.
  if (ip.includes(":") !== (family === "TCP6")) return undefined;
  const canonical = canonicalIp(ip);
  const number = parsePort(port, true);
  if (canonical === undefined || number === undefined) return undefined;
  return { kind: "tcp", ip: canonical, port: number };
}

// --- version 2: binary ---

/** By family and protocol byte: bytes of both addresses. Only these seven are valid. */
const V2_ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x12, 12],
  [0x21, 36],
  [0x22, 36],
  [0x31, 216],
  [0x32, 216],
]);

function readV2(buffer: Uint8Array): Answer {
  const versionAndCommand = byteAt(buffer, 12);
  if (versionAndCommand < 0) return NEED_MORE;
  if (versionAndCommand !== 0x20 && versionAndCommand !== 0x21) return malformed(12, "unknown version or command");
  const isLocal = versionAndCommand === 0x20;
  const family = byteAt(buffer, 13);
  if (family < 0) return NEED_MORE;
  const needed = isLocal ? 0 : V2_ADDRESS_BYTES.get(family);
  if (needed === undefined) return malformed(13, "unknown address family or protocol");
  const rest = uint16At(buffer, 14);
  if (rest < 0) return NEED_MORE;
  if (rest > V2_MAX_REST) return malformed(14, "header longer than 4096 bytes");
  if (rest < needed) return malformed(14, "header too short for its addresses");
  const bytes = V2_FIXED_BYTES + rest;
  if (buffer.length < bytes) return NEED_MORE;
  // What follows LOCAL or an unspecified family has no meaning and is skipped, TLVs included.
  if (isLocal) return { version: 2, command: "LOCAL", bytes };
  if (needed === 0) return { version: 2, command: "PROXY", bytes };
  return readV2Body(buffer, family, bytes);
}

function readV2Body(buffer: Uint8Array, family: number, bytes: number): Answer {
  const reader = new Reader(buffer, V2_FIXED_BYTES, bytes);
  const endpoints = readAddresses(reader, family >>> 4);
  const fault = checkTlvs(reader, buffer, bytes);
  if (fault !== undefined) return fault;
  // A datagram's addresses say nothing about a stream: as if the family were not known.
  if ((family & 0x0f) === 2) return { version: 2, command: "PROXY", bytes };
  return { version: 2, command: "PROXY", ...endpoints, bytes };
}

function readAddresses(reader: Reader, family: number): { source: Endpoint; destination: Endpoint } {
  if (family === 3) return { source: unixEndpoint(reader.text(108)), destination: unixEndpoint(reader.text(108)) };
  const size = family === 1 ? 4 : 16;
  const from = formatIp(reader.take(size));
  const to = formatIp(reader.take(size));
  const fromPort = reader.uint16();
  return {
    source: { kind: "tcp", ip: from, port: fromPort },
    destination: { kind: "tcp", ip: to, port: reader.uint16() },
  };
}

/** A path padded with NULs; empty for an unnamed or abstract socket. */
function unixEndpoint(padded: string): Endpoint {
  const end = padded.indexOf("\0");
  return { kind: "unix", path: end < 0 ? padded : padded.slice(0, end) };
}

const PP2_TYPE_CRC32C = 0x03;

function checkTlvs(reader: Reader, buffer: Uint8Array, bytes: number): ParseError<ProxyErrorCode> | undefined {
  while (reader.remaining > 0) {
    const at = reader.position;
    const type = reader.uint8();
    const length = reader.uint16();
    const valueAt = reader.position;
    const value = type === PP2_TYPE_CRC32C && length === 4 ? reader.uint32() : reader.skip(length);
    if (reader.failed) return malformed(at, "a TLV runs past the header");
    if (type === PP2_TYPE_CRC32C && value !== crc32c(buffer, bytes, valueAt)) {
      return malformed(at, "checksum does not match");
    }
  }
  return undefined;
}
