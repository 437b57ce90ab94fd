/**
 * One question to a DNS server: RFC 1035 §4.1.
 *
 * Owns: the message. It must not send it, and asks for recursion: the other side is a resolver, not an authority.
 * No EDNS: an answer that does not fit 512 bytes is asked for again over TCP (RFC 7766).
 */

import { Writer } from "../bytes.ts";

/** Record types, as on the wire. */
export const RECORD_TYPES = { A: 1, CNAME: 5, SOA: 6, AAAA: 28, SRV: 33, HTTPS: 65 } as const;
/** What can be asked for. */
export type QuestionType = "A" | "AAAA" | "SRV" | "HTTPS";

/** Class IN. */
export const INTERNET = 1;
const RECURSION_DESIRED = 0x0100;
const MAX_LABEL = 63;
const MAX_NAME = 253;

/** @param id 16 bits of chance. @param name canonical, without a trailing dot. @returns undefined where `name` cannot be asked for. */
export function encodeQuery(id: number, name: string, type: QuestionType): Uint8Array | undefined {
  const labels = name.split(".");
  if (name.length > MAX_NAME || labels.some((label) => label.length === 0 || label.length > MAX_LABEL))
    return undefined;
  const writer = new Writer(name.length + 18);
  writer.uint16(id).uint16(RECURSION_DESIRED).uint16(1).zeros(6);
  for (const label of labels) writer.uint8(label.length).ascii(label);
  writer.uint8(0).uint16(RECORD_TYPES[type]).uint16(INTERNET);
  return writer.written();
}
