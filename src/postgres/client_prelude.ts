/**
 * What a PostgreSQL client and the server say before the ClientHello, from the server's place.
 *
 * Owns: the answers: `S` to the request for TLS, `N` to the one for GSSAPI, and a proper error to a client that wants
 * neither, since then there is no server name. A client may begin with TLS at once (`sslnegotiation=direct`). Nothing may be sent
 * behind a request before it is answered: such bytes came in the clear and would pass for the server's (CVE-2021-23222).
 */

import { byteAt } from "../bytes.ts";
import { NEED_MORE, type NeedMore, ParseError } from "../errors.ts";
import { errorResponse } from "./error_response.ts";
import { REQUEST_BYTES, readStartupRequest } from "./startup_request.ts";

export type ClientPreludeAnswer =
  /** A ClientHello comes now, behind `consumed` bytes. */
  | { readonly kind: "tls" }
  /** To be sent before more is read. */
  | { readonly kind: "answer"; readonly bytes: Uint8Array }
  /** It wants no TLS. */
  | { readonly kind: "plaintext"; readonly what: "cancel" | "startup"; readonly reply: Uint8Array }
  | NeedMore
  | ParseError<"malformed_prelude">;

const TLS_HANDSHAKE = 22;
const GRANTED = Uint8Array.of("S".charCodeAt(0));
const DENIED = Uint8Array.of("N".charCodeAt(0));

export class ClientPrelude {
  /** Bytes of requests that were answered; they go no further. */
  consumed = 0;
  /** The client asked for TLS, and was promised it. */
  sslRequested = false;
  #gssRequested = false;

  /** @param bytes all that came so far of the connection, the consumed ones included. */
  read(bytes: Uint8Array): ClientPreludeAnswer {
    const rest = bytes.subarray(this.consumed);
    const first = byteAt(rest, 0);
    if (first < 0) return NEED_MORE;
    // After the promise only TLS may come: whether it is, the reader of the hello says.
    if (this.sslRequested || first === TLS_HANDSHAKE) return { kind: "tls" };
    const request = readStartupRequest(rest);
    if (request === NEED_MORE) return NEED_MORE;
    if (request instanceof ParseError) return malformed(this.consumed + request.offset, request.detail);
    if (request === "cancel") return { kind: "plaintext", what: request, reply: CANCEL_REFUSED };
    if (request === "startup") return { kind: "plaintext", what: request, reply: STARTUP_REFUSED };
    return this.#encryption(request, rest.length);
  }

  #encryption(request: "ssl" | "gssenc", length: number): ClientPreludeAnswer {
    if (length > REQUEST_BYTES) {
      return malformed(this.consumed + REQUEST_BYTES, "bytes in the clear behind a request for encryption");
    }
    if (request === "gssenc" && this.#gssRequested) return malformed(this.consumed, "GSSAPI is asked for twice");
    this.consumed += REQUEST_BYTES;
    if (request === "gssenc") {
      this.#gssRequested = true;
      return { kind: "answer", bytes: DENIED };
    }
    this.sslRequested = true;
    return { kind: "answer", bytes: GRANTED };
  }
}

function malformed(offset: number, detail: string): ParseError<"malformed_prelude"> {
  return new ParseError("malformed_prelude", offset, detail);
}

const STARTUP_REFUSED = errorResponse({
  // invalid_authorization_specification: what a server says to a client that its pg_hba.conf wants TLS of.
  code: "28000",
  message: "a connection without TLS names no server, and this proxy routes by the server name",
  hint: "Connect by host name with sslmode=require or stricter.",
});

const CANCEL_REFUSED = errorResponse({
  code: "28000",
  message: "a cancel request without TLS names no server, and this proxy routes by the server name",
  hint: "Use a client that cancels through TLS (libpq 17 and later).",
});
