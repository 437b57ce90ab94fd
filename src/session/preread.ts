/**
 * Reads the client's first message: a PROXY header where one is due, then a ClientHello or a request head.
 *
 * Owns: which parser reads what, and what a parse error means as a reason code. It must not buffer: it is shown
 * all bytes so far each time. RFC 8446 §4.1.2, RFC 9112 §3, HAProxy's PROXY protocol.
 */

import type { ConnectionRecord } from "../connection_record.ts";
import { NEED_MORE, type NeedMore, ParseError } from "../errors.ts";
import { type RequestHead, RequestHeadReader } from "../http/request_head.ts";
import { type ProxyHeader, readProxyHeader } from "../proxy_protocol/read_proxy_header.ts";
import type { Reason } from "../reason.ts";
import { type ClientHello, ClientHelloReader, type TlsErrorCode } from "../tls/client_hello.ts";

/** A whole first message. */
export type Prelude =
  | { readonly kind: "tls"; readonly hello: ClientHello }
  | { readonly kind: "http"; readonly head: RequestHead };

/** A first message that must not be routed. */
export interface PrereadFailure {
  readonly kind: "failed";
  readonly reason: Reason;
  readonly detail: string;
  /** For the alert; absent where the fault is not TLS'. */
  readonly tlsCode: TlsErrorCode | undefined;
}

export class Preread {
  /** The PROXY header, once it is read. */
  proxyHeader: ProxyHeader | undefined;
  #awaitsProxyHeader: boolean;
  readonly #hello: ClientHelloReader | undefined;
  readonly #head: RequestHeadReader | undefined;

  constructor(protocol: "tls" | "http", expectsProxyHeader: boolean) {
    this.#awaitsProxyHeader = expectsProxyHeader;
    this.#hello = protocol === "tls" ? new ClientHelloReader() : undefined;
    this.#head = protocol === "http" ? new RequestHeadReader() : undefined;
  }

  /** Bytes of the PROXY header, which go no further. */
  get skip(): number {
    return this.proxyHeader?.bytes ?? 0;
  }

  /** @param bytes all that came so far. */
  read(bytes: Uint8Array): Prelude | NeedMore | PrereadFailure {
    if (this.#awaitsProxyHeader) {
      const header = readProxyHeader(bytes);
      if (header === NEED_MORE) return NEED_MORE;
      if (header instanceof ParseError) return failure("malformed_proxy_header", header, 0);
      this.proxyHeader = header;
      this.#awaitsProxyHeader = false;
    }
    const rest = this.skip === 0 ? bytes : bytes.subarray(this.skip);
    if (rest.length === 0) return NEED_MORE;
    return this.#hello === undefined ? this.#readHead(rest) : this.#readHello(this.#hello, rest);
  }

  #readHello(reader: ClientHelloReader, bytes: Uint8Array): Prelude | NeedMore | PrereadFailure {
    const hello = reader.read(bytes);
    if (hello === NEED_MORE) return NEED_MORE;
    if (!(hello instanceof ParseError)) return { kind: "tls", hello };
    return hello.code === "not_tls"
      ? failure("not_tls", hello, this.skip)
      : { ...failure("malformed_hello", hello, this.skip), tlsCode: hello.code };
  }

  #readHead(bytes: Uint8Array): Prelude | NeedMore | PrereadFailure {
    const head = this.#head!.read(bytes);
    if (head === NEED_MORE) return NEED_MORE;
    return head instanceof ParseError ? failure("malformed_request", head, this.skip) : { kind: "http", head };
  }
}

function failure(reason: Reason, error: ParseError, skipped: number): PrereadFailure {
  return { kind: "failed", reason, detail: `${error.detail} (byte ${skipped + error.offset})`, tlsCode: undefined };
}

/** Writes what a first message says of its connection into the record. */
export function describe(record: ConnectionRecord, prelude: Prelude): void {
  if (prelude.kind === "http") {
    record.serverName = prelude.head.host;
    return;
  }
  const { serverName, alpn, versions, legacyVersion, ech } = prelude.hello;
  record.serverName = serverName;
  record.alpn = alpn;
  record.tlsVersions = versions.length > 0 ? versions : [legacyVersion];
  record.ech = ech;
}
