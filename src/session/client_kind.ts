/**
 * What a client speaks, by its first bytes: for listeners that take anything.
 *
 * Owns: the decision between TLS (RFC 8446 §5.1), HTTP/1 (RFC 9112 §3), SSH (RFC 4253 §4.2), PostgreSQL and the rest, with
 * as few bytes as it takes. It must not parse further: whether it is a good ClientHello, that kind's own reader says.
 */

import { byteAt, hasAscii } from "../bytes.ts";
import { NEED_MORE, type NeedMore, ParseError } from "../errors.ts";
import { readStartupRequest } from "../postgres/startup_request.ts";

export type ClientKind = "tls" | "http" | "ssh" | "postgres" | "other";

const TLS_HANDSHAKE = 22;
const SSH = "SSH-";
/** The longest registered method has 17 letters (UPDATEREDIRECTREF). */
const MAX_METHOD = 17;
const SPACE = 0x20;

/** @param bytes all that came so far. */
export function clientKind(bytes: Uint8Array): ClientKind | NeedMore {
  const first = byteAt(bytes, 0);
  if (first < 0) return NEED_MORE;
  if (first === TLS_HANDSHAKE) return "tls";
  if (first === 0) {
    const request = readStartupRequest(bytes);
    return request === NEED_MORE ? NEED_MORE : request instanceof ParseError ? "other" : "postgres";
  }
  // `S` begins a method as well (SEARCH); behind `SSH-` there is no more doubt.
  const ssh = startsWith(bytes, 0, SSH);
  return ssh === false ? httpOrOther(bytes) : ssh === true ? "ssh" : NEED_MORE;
}

/** `METHOD SP` and the beginning of a target: `/`, `*`, `http://` or, for CONNECT, anything. */
function httpOrOther(bytes: Uint8Array): ClientKind | NeedMore {
  let at = 0;
  while (at <= MAX_METHOD && isUpperCase(byteAt(bytes, at))) at++;
  if (at > MAX_METHOD) return "other";
  const behind = byteAt(bytes, at);
  if (behind < 0) return NEED_MORE;
  if (behind !== SPACE || at < 3) return "other";
  if (hasAscii(bytes, 0, "CONNECT ")) return "http";
  const target = byteAt(bytes, at + 1);
  if (target < 0) return NEED_MORE;
  if (target === SLASH || target === STAR) return "http";
  const absolute = startsWith(bytes, at + 1, "http://");
  return absolute === NEED_MORE ? NEED_MORE : absolute ? "http" : "other";
}

const SLASH = 0x2f;
const STAR = 0x2a;

function isUpperCase(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || byte === 0x2d;
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean | NeedMore {
  const there = Math.min(bytes.length - at, text.length);
  if (!hasAscii(bytes, at, text.slice(0, there))) return false;
  return there === text.length ? true : NEED_MORE;
}
