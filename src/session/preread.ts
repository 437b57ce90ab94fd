/**
 * Reads the client's first message: a PROXY header where one is due, then a ClientHello, a request head, or what a
 * PostgreSQL client says before its ClientHello; on a listener for any protocol, whichever it is.
 *
 * Owns: which parser reads what, and what a parse error means as a reason code. It must not buffer: it is shown
 * all bytes so far each time. RFC 8446 §4.1.2, RFC 9112 §3, HAProxy's PROXY protocol.
 */

import type { ListenerProtocol } from "../config/config.ts";
import type { ClientProtocol, ConnectionRecord } from "../connection_record.ts";
import { NEED_MORE, type NeedMore, ParseError } from "../errors.ts";
import { type RequestHead, RequestHeadReader } from "../http/request_head.ts";
import { ClientPrelude } from "../postgres/client_prelude.ts";
import { type ProxyHeader, readProxyHeader } from "../proxy_protocol/read_proxy_header.ts";
import type { Reason } from "../reason.ts";
import { type ClientHello, ClientHelloReader, type TlsErrorCode } from "../tls/client_hello.ts";
import { clientKind } from "./client_kind.ts";

/** A whole first message; of `ssh` and `other`, whatever came. */
export type Prelude =
  | { readonly kind: "tls"; readonly hello: ClientHello }
  | { readonly kind: "http"; readonly head: RequestHead }
  | { readonly kind: "ssh" | "other" };

/** A first message that must not be routed. */
export interface PrereadFailure {
  readonly kind: "failed";
  readonly reason: Reason;
  readonly detail: string;
  /** For the alert; absent where the fault is not TLS'. */
  readonly tlsCode: TlsErrorCode | undefined;
  /** What the client is told, where that depends on what it said. */
  readonly reply?: Uint8Array;
}

/** The client has to be told something before it goes on. */
export interface PrereadAnswer {
  readonly kind: "answer";
  readonly bytes: Uint8Array;
}

type Reading = Prelude | NeedMore | PrereadFailure | PrereadAnswer;

export class Preread {
  /** The PROXY header, once it is read. */
  proxyHeader: ProxyHeader | undefined;
  /** What the client speaks, as far as that is known. */
  protocol: ClientProtocol;
  #awaitsProxyHeader: boolean;
  /** One of the two, and for PostgreSQL the prelude besides; made when it is known which. */
  #hello: ClientHelloReader | undefined;
  #head: RequestHeadReader | undefined;
  #postgres: ClientPrelude | undefined;

  constructor(protocol: ListenerProtocol, expectsProxyHeader: boolean) {
    this.#awaitsProxyHeader = expectsProxyHeader;
    this.protocol = protocol;
    this.#expect(protocol);
  }

  #expect(protocol: ClientProtocol): void {
    this.protocol = protocol;
    this.#hello = protocol === "tls" || protocol === "postgres" ? new ClientHelloReader() : undefined;
    this.#head = protocol === "http" ? new RequestHeadReader() : undefined;
    this.#postgres = protocol === "postgres" ? new ClientPrelude() : undefined;
  }

  /** Bytes of the PROXY header and of requests that were answered here, which go no further. */
  get skip(): number {
    return (this.proxyHeader?.bytes ?? 0) + (this.#postgres?.consumed ?? 0);
  }

  /** The client was promised TLS in answer to its request: so the server has to be asked for it. */
  get sslRequested(): boolean {
    return this.#postgres?.sslRequested ?? false;
  }

  /** What a rejection is put in. */
  get speaks(): ClientProtocol {
    return this.sslRequested ? "tls" : this.protocol;
  }

  /** @param bytes all that came so far. */
  read(bytes: Uint8Array): Reading {
    if (this.#awaitsProxyHeader) {
      const header = readProxyHeader(bytes);
      if (header === NEED_MORE) return NEED_MORE;
      if (header instanceof ParseError) return failure("malformed_proxy_header", header, 0);
      this.proxyHeader = header;
      this.#awaitsProxyHeader = false;
    }
    const header = this.proxyHeader?.bytes ?? 0;
    const rest = header === 0 ? bytes : bytes.subarray(header);
    if (rest.length === 0) return NEED_MORE;
    if (this.protocol === "any") {
      const kind = clientKind(rest);
      if (kind === NEED_MORE) return NEED_MORE;
      this.#expect(kind);
    }
    return this.#readMessage(rest, header);
  }

  /** @param skipped bytes in front of `bytes`. */
  #readMessage(bytes: Uint8Array, skipped: number): Reading {
    if (this.#postgres !== undefined) return this.#readPostgres(this.#postgres, bytes, skipped);
    if (this.#hello !== undefined) return readHello(this.#hello, bytes, skipped);
    if (this.#head !== undefined) return readHead(this.#head, bytes, skipped);
    return { kind: this.protocol === "ssh" ? "ssh" : "other" };
  }

  #readPostgres(postgres: ClientPrelude, bytes: Uint8Array, skipped: number): Reading {
    const answer = postgres.read(bytes);
    if (answer === NEED_MORE) return NEED_MORE;
    if (answer instanceof ParseError) return failure("malformed_prelude", answer, skipped);
    switch (answer.kind) {
      case "tls":
        return readHello(this.#hello!, bytes.subarray(postgres.consumed), skipped + postgres.consumed);
      case "answer":
        return answer;
      case "plaintext": {
        const detail = answer.what === "cancel" ? "a cancel request in the clear" : "a startup message in the clear";
        return { kind: "failed", reason: "tls_required", detail, tlsCode: undefined, reply: answer.reply };
      }
    }
  }
}

function readHello(reader: ClientHelloReader, bytes: Uint8Array, skipped: number): Reading {
  if (bytes.length === 0) return NEED_MORE;
  const hello = reader.read(bytes);
  if (hello === NEED_MORE) return NEED_MORE;
  if (!(hello instanceof ParseError)) return { kind: "tls", hello };
  return hello.code === "not_tls"
    ? failure("not_tls", hello, skipped)
    : { ...failure("malformed_hello", hello, skipped), tlsCode: hello.code };
}

function readHead(reader: RequestHeadReader, bytes: Uint8Array, skipped: number): Reading {
  const head = reader.read(bytes);
  if (head === NEED_MORE) return NEED_MORE;
  return head instanceof ParseError ? failure("malformed_request", head, skipped) : { kind: "http", head };
}

function failure(reason: Reason, error: ParseError, skipped: number): PrereadFailure {
  return { kind: "failed", reason, detail: `${error.detail} (byte ${skipped + error.offset})`, tlsCode: undefined };
}

/** Bytes of what was read whole. */
export function preludeBytes(prelude: Prelude): number {
  if (prelude.kind === "tls") return prelude.hello.bytes;
  return prelude.kind === "http" ? prelude.head.bytes : 0;
}

/** What a PROXY header says of both ends; false: there is none. */
export function describePeers(record: ConnectionRecord, header: ProxyHeader | undefined): boolean {
  if (header?.source !== undefined) record.client = header.source;
  if (header?.destination !== undefined) record.server = header.destination;
  return header !== undefined;
}

/** Puts what a first message says of the client on record. */
export function describe(record: ConnectionRecord, prelude: Prelude): void {
  if (prelude.kind === "http") record.serverName = prelude.head.host;
  if (prelude.kind !== "tls") return;
  const { hello } = prelude;
  record.serverName = hello.serverName;
  record.alpn = hello.alpn;
  record.tlsVersions = hello.versions.length > 0 ? hello.versions : [hello.legacyVersion];
  record.ech = hello.ech;
}
