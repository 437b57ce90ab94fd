/**
 * The request head as the server gets it (RFC 9110 7.6.1, RFC 9112 3.2.1 and 9.6).
 *
 * Owns: what of a head is changed, which is as little as can be: the server must close after one response,
 * the fields meant for this hop go, an absolute-form target becomes origin-form. The rest passes byte for byte.
 */

import { byteAt, latin1, Writer } from "../bytes.ts";
import { LF } from "./characters.ts";
import { listOf } from "./head_fields.ts";
import type { RequestHead } from "./request_head.ts";
import { parseTarget } from "./target.ts";

/** Fields that go in any case; `upgrade` comes back where it is honoured. */
const HOP_BY_HOP = ["connection", "keep-alive", "proxy-connection", "http2-settings", "upgrade"];

/** Fields that a Connection option must not take away: they say whose request this is and where it ends. */
const KEPT = new Set(["host", "content-length", "transfer-encoding"]);

/**
 * @param buffer the bytes that `head` was read from.
 * @returns a new head, its empty line included. The body is not in it.
 */
export function forwardedHead(buffer: Uint8Array, head: RequestHead): Uint8Array {
  const lines = linesOf(buffer, head.bytes);
  const dropped = droppedNames(buffer, lines, head.upgrade);
  const out = new Writer(head.bytes + 64);
  const origin = parseTarget(head.method, head.target)?.origin ?? head.target;
  out.ascii(`${head.method} ${origin} HTTP/${head.version}\r\n`);
  if (head.hostHeader !== "" && !lines.some((line) => line.name === "host")) out.ascii(`Host: ${head.hostHeader}\r\n`);
  for (const line of lines) {
    if (!dropped.has(line.name)) out.bytes(buffer, line.start, line.end);
  }
  // The order is that of Firefox's `keep-alive, Upgrade`, which every server of WebSockets has learnt to read.
  out.ascii(head.upgrade ? "Connection: close, Upgrade\r\n\r\n" : "Connection: close\r\n\r\n");
  return out.written();
}

interface Line {
  readonly name: string;
  readonly start: number;
  readonly valueStart: number;
  /** Behind its CRLF. */
  readonly end: number;
}

/** The field lines of a head that is known to be well-formed. */
function linesOf(buffer: Uint8Array, end: number): Line[] {
  const lines: Line[] = [];
  let start = -1;
  let colon = -1;
  // The last two bytes are the empty line.
  for (let at = 0; at < end - 2; at++) {
    const byte = byteAt(buffer, at);
    if (byte === 0x3a && colon < 0) colon = at;
    if (byte !== LF) continue;
    // The first line is the request line.
    if (start >= 0) {
      const name = latin1(buffer, start, colon).toLowerCase();
      lines.push({ name, start, valueStart: colon + 1, end: at + 1 });
    }
    start = at + 1;
    colon = -1;
  }
  return lines;
}

function droppedNames(buffer: Uint8Array, lines: readonly Line[], upgrade: boolean): Set<string> {
  const dropped = new Set(HOP_BY_HOP);
  for (const line of lines) {
    if (line.name !== "connection") continue;
    for (const option of listOf(latin1(buffer, line.valueStart, line.end))) if (!KEPT.has(option)) dropped.add(option);
  }
  if (upgrade) dropped.delete("upgrade");
  return dropped;
}
