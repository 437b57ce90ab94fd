/** CRC32C (Castagnoli; RFC 3720 B.4, reflected), as the PROXY protocol's PP2_TYPE_CRC32C has it. */

import { byteAt } from "../bytes.ts";

const POLYNOMIAL = 0x82f63b78;

const TABLE: readonly number[] = Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? POLYNOMIAL : 0);
  return value >>> 0;
});

/** The checksum of `bytes[0..end)`, its bytes from `hole` to `hole + 4` taken as zeros. */
export function crc32c(bytes: Uint8Array, end: number, hole: number): number {
  let crc = 0xffffffff;
  for (let at = 0; at < end; at++) {
    const byte = at >= hole && at < hole + 4 ? 0 : byteAt(bytes, at);
    crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
