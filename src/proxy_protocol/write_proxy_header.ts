/**
 * Writes the PROXY protocol's header, versions 1 and 2 (HAProxy's proxy-protocol.txt, 2.1 and 2.2), so
 * that a server learns who its client is.
 *
 * Where a version cannot express the endpoints it says "unknown", and never a wrong address.
 */

import { type Endpoint, parseIp, type TcpEndpoint } from "../address.ts";
import { Writer } from "../bytes.ts";
import { type Tlv, tlvBytes, writeTlvs } from "./write_tlvs.ts";

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const VERSION_2_PROXY = 0x21;
const UNSPECIFIED = 0x00;
const TCP4 = 0x11;
const TCP6 = 0x21;
const UNIX_STREAM = 0x31;
const UNIX_PATH_BYTES = 108;

const NO_TLVS: readonly Tlv[] = [];

/** @param source the client; @param destination where it connected to; @param tlvs what version 2 says besides. */
export function writeProxyHeader(
  version: 1 | 2,
  source: Endpoint,
  destination: Endpoint,
  tlvs: readonly Tlv[] = NO_TLVS,
): Uint8Array {
  const addresses = tcpAddresses(source, destination);
  if (version === 1) return addresses === undefined ? new Writer().ascii("PROXY UNKNOWN\r\n").written() : v1(addresses);
  const header = v2(addresses, source, destination, tlvBytes(tlvs));
  return tlvs.length === 0 ? header.written() : writeTlvs(header, tlvs);
}

function v2(addresses: Addresses | undefined, source: Endpoint, destination: Endpoint, behind: number): Writer {
  if (addresses !== undefined) return v2Tcp(addresses, behind);
  if (source.kind === "unix" && destination.kind === "unix" && fits(source.path) && fits(destination.path)) {
    return v2Unix(source.path, destination.path, behind);
  }
  return v2Start(UNSPECIFIED, behind);
}

interface Addresses {
  readonly source: TcpEndpoint;
  readonly destination: TcpEndpoint;
  readonly sourceBytes: Uint8Array;
  readonly destinationBytes: Uint8Array;
}

/** Both ends of a TCP connection in one family, or `undefined`. */
function tcpAddresses(source: Endpoint, destination: Endpoint): Addresses | undefined {
  if (source.kind !== "tcp" || destination.kind !== "tcp") return undefined;
  const from = parseIp(source.ip);
  const to = parseIp(destination.ip);
  if (from === undefined || to === undefined || from.family !== to.family) return undefined;
  return { source, destination, sourceBytes: from.bytes, destinationBytes: to.bytes };
}

function v1({ source, destination, sourceBytes }: Addresses): Uint8Array {
  const family = sourceBytes.length === 4 ? "TCP4" : "TCP6";
  const line = `PROXY ${family} ${source.ip} ${destination.ip} ${source.port} ${destination.port}\r\n`;
  return new Writer(line.length).ascii(line).written();
}

function v2Start(family: number, length: number): Writer {
  const out = new Writer(16 + length);
  for (const byte of SIGNATURE) out.uint8(byte);
  return out.uint8(VERSION_2_PROXY).uint8(family).uint16(length);
}

function v2Tcp({ source, destination, sourceBytes, destinationBytes }: Addresses, behind: number): Writer {
  const out = v2Start(sourceBytes.length === 4 ? TCP4 : TCP6, 2 * sourceBytes.length + 4 + behind);
  return out.bytes(sourceBytes).bytes(destinationBytes).uint16(source.port).uint16(destination.port);
}

function v2Unix(source: string, destination: string, behind: number): Writer {
  const out = v2Start(UNIX_STREAM, 2 * UNIX_PATH_BYTES + behind);
  for (const path of [source, destination]) out.ascii(path).zeros(UNIX_PATH_BYTES - path.length);
  return out;
}

/** Printable ASCII only: a path is bytes to the system, and how the rest is encoded is not known here. */
function fits(path: string): boolean {
  return path.length <= UNIX_PATH_BYTES && /^[\x20-\x7e]*$/.test(path);
}
