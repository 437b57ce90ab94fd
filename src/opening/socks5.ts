/**
 * CONNECT through a SOCKS5 proxy (RFC 1928), with username and password (RFC 1929) where there are some.
 *
 * Owns: the three exchanges, and the strict reading of their replies. Host names go to the proxy as they are (ATYP 3):
 * it resolves them. BIND, UDP and GSSAPI are not for a relay.
 */

import { parseIp } from "../address.ts";
import { byteAt, Writer } from "../bytes.ts";
import { NEED_MORE, type NeedMore, ParseError } from "../errors.ts";
import { utf8 } from "./base64.ts";
import type { OpeningAnswer } from "./opening.ts";
import type { ProxiedTarget, ProxyCredentials } from "./proxied_target.ts";
import { ProxyOpening } from "./proxy_opening.ts";

const VERSION = 5;
const AUTH_VERSION = 1;
const NO_AUTHENTICATION = 0x00;
const USERNAME_PASSWORD = 0x02;
const NO_METHOD = 0xff;
const CONNECT = 1;
const ATYP_IPV4 = 1;
const ATYP_NAME = 3;
const ATYP_IPV6 = 4;

/** A two-byte reply's second byte (a method, a status), or the reply code of a CONNECT with its length. */
export interface SocksReply {
  readonly code: number;
  readonly bytes: number;
}

type Answer = SocksReply | NeedMore | ParseError<"malformed_reply">;

/** The choice of a method (`version` 5, RFC 1928 §3) or the outcome of the authentication (1, RFC 1929 §2). */
export function readSocksChoice(buffer: Uint8Array, version: number): Answer {
  const first = byteAt(buffer, 0);
  if (first < 0) return NEED_MORE;
  if (first !== version) return new ParseError("malformed_reply", 0, "it does not speak SOCKS5");
  const code = byteAt(buffer, 1);
  return code < 0 ? NEED_MORE : { code, bytes: 2 };
}

/** The reply to CONNECT (RFC 1928 §6). The bound address in it means nothing to a client and is passed over. */
export function readSocksReply(buffer: Uint8Array): Answer {
  const head = readSocksChoice(buffer, VERSION);
  if (head === NEED_MORE || head instanceof ParseError) return head;
  const reserved = byteAt(buffer, 2);
  if (reserved < 0) return NEED_MORE;
  if (reserved !== 0) return new ParseError("malformed_reply", 2, "the reserved byte is not 0");
  const length = addressBytes(buffer);
  if (typeof length !== "number") return length;
  const bytes = 4 + length + 2;
  return buffer.length < bytes ? NEED_MORE : { code: head.code, bytes };
}

function addressBytes(buffer: Uint8Array): number | NeedMore | ParseError<"malformed_reply"> {
  const type = byteAt(buffer, 3);
  if (type < 0) return NEED_MORE;
  if (type === ATYP_IPV4) return 4;
  if (type === ATYP_IPV6) return 16;
  if (type !== ATYP_NAME) return new ParseError("malformed_reply", 3, "unknown type of address");
  const length = byteAt(buffer, 4);
  return length < 0 ? NEED_MORE : 1 + length;
}

/** The request to connect to `target` (RFC 1928 §4). */
export function socksRequest({ host, isIp, port }: ProxiedTarget): Uint8Array {
  const request = new Writer(10 + host.length).uint8(VERSION).uint8(CONNECT).uint8(0);
  const ip = isIp ? parseIp(host) : undefined;
  if (ip !== undefined) request.uint8(ip.bytes.length === 4 ? ATYP_IPV4 : ATYP_IPV6).bytes(ip.bytes);
  else request.uint8(ATYP_NAME).uint8(host.length).ascii(host);
  return request.uint16(port).written();
}

/** Username and password, each 255 bytes at most (RFC 1929 §2); the configuration sees to that. */
export function socksCredentials({ username, password }: ProxyCredentials): Uint8Array {
  const request = new Writer(3 + username.length + password.length).uint8(AUTH_VERSION);
  for (const text of [username, password]) {
    const bytes = utf8(text);
    request.uint8(bytes.length).bytes(Uint8Array.from(bytes));
  }
  return request.written();
}

export class Socks5 extends ProxyOpening {
  #awaits: "method" | "authentication" | "connect" = "method";

  constructor(target: ProxiedTarget, credentials: ProxyCredentials | undefined) {
    super("SOCKS5", target, credentials);
  }

  begin(): Uint8Array {
    return this.credentials === undefined
      ? Uint8Array.of(VERSION, 1, NO_AUTHENTICATION)
      : Uint8Array.of(VERSION, 2, NO_AUTHENTICATION, USERNAME_PASSWORD);
  }

  received(bytes: Uint8Array): OpeningAnswer {
    const buffer = this.append(bytes);
    const reply = this.#read(buffer);
    if (reply === NEED_MORE) return NEED_MORE;
    if (reply instanceof ParseError) return this.refused(`${reply.detail} (byte ${reply.offset} of its reply)`);
    const surplus = this.take(reply.bytes);
    if (this.#awaits !== "connect" && surplus.length > 0) return this.refused("it answers what it was not asked");
    switch (this.#awaits) {
      case "method":
        return this.#method(reply.code);
      case "authentication":
        return reply.code === 0 ? this.#connect() : this.refused(this.credentialsFault);
      case "connect":
        return reply.code === 0
          ? { kind: "done", surplus }
          : this.refused(REPLIES[reply.code] ?? `its code is ${reply.code}`);
    }
  }

  #read(buffer: Uint8Array): Answer {
    if (this.#awaits === "connect") return readSocksReply(buffer);
    return readSocksChoice(buffer, this.#awaits === "method" ? VERSION : AUTH_VERSION);
  }

  #method(method: number): OpeningAnswer {
    if (method === NO_AUTHENTICATION) return this.#connect();
    if (method === USERNAME_PASSWORD && this.credentials !== undefined) {
      this.#awaits = "authentication";
      return { kind: "send", bytes: socksCredentials(this.credentials) };
    }
    if (method !== NO_METHOD) return this.refused("it chose a method that was not offered");
    return this.refused(this.credentials === undefined ? this.credentialsFault : "it takes no password");
  }

  #connect(): OpeningAnswer {
    this.#awaits = "connect";
    return { kind: "send", bytes: socksRequest(this.target) };
  }
}

/** RFC 1928 §6. */
const REPLIES: Readonly<Record<number, string>> = {
  1: "a failure of its own",
  2: "its rules do not allow this server",
  3: "it cannot reach the network",
  4: "it cannot reach the host",
  5: "the server refused its connection",
  6: "the server is too many hops away",
  7: "it does not know CONNECT",
  8: "it does not know this type of address",
};
