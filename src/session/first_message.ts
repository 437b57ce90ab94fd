/**
 * The client's first message while it comes, and until it has gone on to a server.
 *
 * Owns: the bytes, and what was read from them. Let go of as a whole once a server has them: an idle connection keeps
 * none of it. It must not decide what follows from the message.
 */

import type { ClientProtocol } from "../connection_record.ts";
import { NEED_MORE, type NeedMore } from "../errors.ts";
import type { ProxyHeader } from "../proxy_protocol/read_proxy_header.ts";
import type { Reason } from "../reason.ts";
import type { TlsErrorCode } from "../tls/client_hello.ts";
import { type Prelude, Preread, type PrereadAnswer, type PrereadFailure, preludeBytes } from "./preread.ts";
import { PrereadBuffer } from "./preread_buffer.ts";
import { rejection } from "./rejection.ts";
import type { SessionSettings } from "./session_settings.ts";

export class FirstMessage {
  readonly #preread: Preread;
  readonly #buffer: PrereadBuffer;
  readonly #limit: number;
  #tlsCode: TlsErrorCode | undefined;
  /** Once it is whole. */
  prelude: Prelude | undefined;

  constructor({ protocol, trustedProxies, budget, prereadBytes }: SessionSettings) {
    this.#preread = new Preread(protocol, trustedProxies !== undefined);
    this.#buffer = new PrereadBuffer(budget);
    this.#limit = prereadBytes;
  }

  /** Bytes that have come, those of a PROXY header included. */
  get length(): number {
    return this.#buffer.length;
  }

  /** What goes on to the server. */
  get bytes(): Uint8Array {
    const { skip } = this.#preread;
    return skip === 0 ? this.#buffer.bytes : this.#buffer.bytes.subarray(skip);
  }

  /** What the client speaks, as far as that is known. */
  get protocol(): ClientProtocol {
    return this.#preread.protocol;
  }

  get proxyHeader(): ProxyHeader | undefined {
    return this.#preread.proxyHeader;
  }

  /** The client was promised TLS in answer to its request. */
  get sslRequested(): boolean {
    return this.#preread.sslRequested;
  }

  /** False: there is no memory for it. */
  append(bytes: Uint8Array): boolean {
    return this.#buffer.append(bytes);
  }

  /** Reads what has come so far. */
  read(): Prelude | NeedMore | PrereadFailure | PrereadAnswer {
    const reading = this.#preread.read(this.#buffer.bytes);
    if (reading === NEED_MORE)
      return this.length < this.#limit ? NEED_MORE : tooLarge(`${this.length} bytes and not complete`);
    if (reading.kind === "failed") this.#tlsCode = reading.tlsCode;
    if (reading.kind === "answer" || reading.kind === "failed") return reading;
    // However many bytes one read brought: what is too large in two reads must not pass in one.
    const length = preludeBytes(reading);
    if (length > this.#limit) return tooLarge(`${length} bytes`);
    this.prelude = reading;
    return reading;
  }

  /** What its client is told, in what it speaks. */
  rejection(reason: Reason): Uint8Array | undefined {
    return rejection(reason, this.#preread.speaks, this.prelude, this.#tlsCode);
  }

  /** Gives the memory back; views that were taken stay valid. */
  release(): void {
    this.#buffer.release();
  }
}

function tooLarge(detail: string): PrereadFailure {
  return { kind: "failed", reason: "preread_too_large", detail, tlsCode: undefined };
}
