/**
 * Asks a PostgreSQL server for TLS, as its client has asked us (SSLRequest; "SSL Session Encryption" in PostgreSQL's
 * documentation of the protocol).
 *
 * Owns: the question and the one byte that answers it. What comes behind that byte before the ClientHello is in the clear and
 * of nobody knows whom: it is refused (CVE-2021-23222).
 */

import { byteAt } from "../bytes.ts";
import { sslRequest } from "../postgres/startup_request.ts";
import type { Opening, OpeningAnswer } from "./opening.ts";

const GRANTED = "S".charCodeAt(0);
const DENIED = "N".charCodeAt(0);
const ERROR = "E".charCodeAt(0);
const NOTHING = new Uint8Array(0);

export class PostgresTls implements Opening {
  readonly #before: Uint8Array;

  /** @param before goes out in front of the question: a PROXY header, or nothing. */
  constructor(before: Uint8Array) {
    this.#before = before;
  }

  begin(): Uint8Array {
    const question = sslRequest();
    const bytes = new Uint8Array(this.#before.length + question.length);
    bytes.set(this.#before);
    bytes.set(question, this.#before.length);
    return bytes;
  }

  received(bytes: Uint8Array): OpeningAnswer {
    const answer = byteAt(bytes, 0);
    if (answer === GRANTED && bytes.length === 1) return { kind: "done", surplus: NOTHING };
    if (answer === GRANTED) return refused("the server sent bytes in the clear behind its promise of TLS");
    if (answer === DENIED) return refused("the server does not do TLS (ssl = off)");
    return refused(answer === ERROR ? "the server answered with an error" : "the server does not speak PostgreSQL");
  }
}

function refused(detail: string): OpeningAnswer {
  return { kind: "failed", reason: "tls_refused", detail };
}
