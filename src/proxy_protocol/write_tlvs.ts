/**
 * What a version 2 PROXY header says besides addresses (HAProxy's proxy-protocol.txt, 2.2.1 to 2.2.5).
 *
 * Owns: the TLVs' form and the checksum. It must not decide which are sent: the upstream's configuration does.
 */

import { latin1Bytes, type Writer } from "../bytes.ts";
import { crc32c } from "./crc32c.ts";

/** Values are at most 128 bytes for a unique id, 255 for a protocol and a name. */
export interface Tlv {
  readonly type: number;
  readonly value: Uint8Array;
}

export const PP2_TYPE_ALPN = 0x01;
export const PP2_TYPE_AUTHORITY = 0x02;
export const PP2_TYPE_CRC32C = 0x03;
export const PP2_TYPE_UNIQUE_ID = 0x05;

const CHECKSUM_BYTES = 4;

/** The checksum of the whole header, filled in by `writeTlvs`; to be the last one. */
export const CHECKSUM: Tlv = { type: PP2_TYPE_CRC32C, value: new Uint8Array(CHECKSUM_BYTES) };

/** @param value one character a byte. */
export function textTlv(type: number, value: string): Tlv {
  return { type, value: latin1Bytes(value) };
}

/** What they take in a header. */
export function tlvBytes(tlvs: readonly Tlv[]): number {
  let bytes = 0;
  for (const { value } of tlvs) bytes += 3 + value.length;
  return bytes;
}

/** Appends them to a header whose length counts them already. */
export function writeTlvs(header: Writer, tlvs: readonly Tlv[]): Uint8Array {
  for (const { type, value } of tlvs) header.uint8(type).uint16(value.length).bytes(value);
  if (tlvs.at(-1) !== CHECKSUM) return header.written();
  const bytes = header.written();
  const hole = bytes.length - CHECKSUM_BYTES;
  return header.setUint32(hole, crc32c(bytes, bytes.length, hole)).written();
}
