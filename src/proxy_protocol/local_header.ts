/**
 * The PROXY header of a connection that is the proxy's own, such as a health check (HAProxy's proxy-protocol.txt, 2.1 and
 * 2.2): there is no client to tell of.
 */

import { Writer } from "../bytes.ts";

const V2_SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const VERSION_2_LOCAL = 0x20;

export function writeLocalHeader(version: 1 | 2): Uint8Array {
  const writer = new Writer();
  if (version === 1) return writer.ascii("PROXY UNKNOWN\r\n").written();
  // Neither family nor protocol, and no addresses behind it.
  return writer.bytes(V2_SIGNATURE).uint8(VERSION_2_LOCAL).uint8(0).uint16(0).written();
}
