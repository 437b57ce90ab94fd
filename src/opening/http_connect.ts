/**
 * CONNECT through an HTTP proxy (RFC 9110 §9.3.6), with Basic credentials (RFC 7617) where there are some.
 *
 * Owns: the request, and the reading of the reply, strictly and bounded: HTTP/1.x, lines that end in CRLF, 8 KiB at most.
 * Nothing of a reply but its status is told to anyone.
 */

import { byteAt, hasAscii, Writer } from "../bytes.ts";
import { NEED_MORE, type NeedMore, ParseError } from "../errors.ts";
import { base64, utf8 } from "./base64.ts";
import type { OpeningAnswer } from "./opening.ts";
import type { ProxiedTarget, ProxyCredentials } from "./proxied_target.ts";
import { ProxyOpening } from "./proxy_opening.ts";

export interface ConnectReply {
  /** 200 to 599: interim replies are passed over. */
  readonly status: number;
  /** Length of all heads so far. */
  readonly bytes: number;
}

/** All heads together, interim ones included. */
export const MAX_CONNECT_REPLY = 8192;

const CR = 0x0d;
const LF = 0x0a;
/** `HTTP/1.1 200` */
const STATUS_BYTES = 12;

type Answer = ConnectReply | NeedMore | ParseError<"malformed_reply">;

/** @param buffer all bytes so far. Every call starts anew; the buffer is 8 KiB at most, or the answer is an error. */
export function readConnectReply(buffer: Uint8Array): Answer {
  let at = 0;
  for (;;) {
    const status = readStatus(buffer, at);
    if (typeof status !== "number") return status;
    const end = headEnd(buffer, at + STATUS_BYTES);
    if (typeof end !== "number") return end;
    if (status >= 200) return { status, bytes: end };
    // 101 would change the protocol, which nobody asked for (RFC 9110 §15.2).
    if (status === 101) return malformed(at, "101 where nothing was to be switched");
    at = end;
  }
}

function malformed(at: number, detail: string): ParseError<"malformed_reply"> {
  return new ParseError("malformed_reply", at, detail);
}

const START = "HTTP/1.";

function readStatus(buffer: Uint8Array, at: number): number | NeedMore | ParseError<"malformed_reply"> {
  const there = Math.min(buffer.length - at, START.length);
  if (!hasAscii(buffer, at, START.slice(0, there))) return malformed(at, "no HTTP/1 status line");
  let status = 0;
  for (let index = START.length; index <= STATUS_BYTES; index++) {
    const byte = byteAt(buffer, at + index);
    if (byte < 0) return NEED_MORE;
    if (index === 8 ? byte !== 0x20 : index === STATUS_BYTES ? byte !== 0x20 && byte !== CR : !isDigit(byte)) {
      return malformed(at + index, "no HTTP/1 status line");
    }
    if (index > 8 && index < STATUS_BYTES) status = status * 10 + byte - 0x30;
  }
  return status < 100 || status > 599 ? malformed(at + 9, "status out of range") : status;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Index behind the empty line, from somewhere in the first line on. */
function headEnd(buffer: Uint8Array, from: number): number | NeedMore | ParseError<"malformed_reply"> {
  let lineStart = -1;
  for (let at = from; ; at++) {
    if (at >= MAX_CONNECT_REPLY) return malformed(at, "reply longer than 8 KiB");
    const byte = byteAt(buffer, at);
    if (byte < 0) return NEED_MORE;
    if (byte === LF) return malformed(at, "LF without CR");
    if (byte !== CR) continue;
    const next = byteAt(buffer, at + 1);
    if (next < 0) return NEED_MORE;
    if (next !== LF) return malformed(at, "CR without LF");
    if (at === lineStart) return at + 2;
    at++;
    lineStart = at + 1;
  }
}

/** The request for a tunnel to `target`. */
export function connectRequest(target: ProxiedTarget, credentials: ProxyCredentials | undefined): Uint8Array {
  const host = target.isIp && target.host.includes(":") ? `[${target.host}]` : target.host;
  const authority = `${host}:${target.port}`;
  const request = new Writer(256).ascii(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n`);
  if (credentials !== undefined) {
    const { username, password } = credentials;
    request.ascii(`Proxy-Authorization: Basic ${base64(utf8(`${username}:${password}`))}\r\n`);
  }
  return request.ascii("\r\n").written();
}

export class HttpConnect extends ProxyOpening {
  constructor(target: ProxiedTarget, credentials: ProxyCredentials | undefined) {
    super("HTTP", target, credentials);
  }

  begin(): Uint8Array {
    return connectRequest(this.target, this.credentials);
  }

  received(bytes: Uint8Array): OpeningAnswer {
    const reply = readConnectReply(this.append(bytes));
    if (reply === NEED_MORE) return NEED_MORE;
    if (reply instanceof ParseError) {
      return this.refused(`its reply is no HTTP: ${reply.detail} (byte ${reply.offset})`);
    }
    // Content-Length and Transfer-Encoding of a 2xx reply to CONNECT are to be ignored (RFC 9110 §9.3.6).
    if (reply.status < 300) return { kind: "done", surplus: this.take(reply.bytes) };
    return this.refused(`it answered ${reply.status}${this.#meaning(reply.status)}`);
  }

  #meaning(status: number): string {
    if (status !== 407) return MEANINGS[status] ?? "";
    return ` (${this.credentialsFault})`;
  }
}

const MEANINGS: Readonly<Record<number, string>> = {
  403: " (it does not allow this server or port)",
  502: " (it cannot reach the server)",
  503: " (it cannot reach the server)",
  504: " (the server does not answer it)",
};
