/**
 * The opening of a server's side: what is said to it after the connect and before the relay, so that a proxy on the way
 * leads on to the server, or the server begins with TLS.
 *
 * Owns: the shape of that conversation, and a chain of several. Sans-I/O: a machine is told what came, and says what to
 * send. It must not decide what becomes of a failure: the dial does.
 */

import { NEED_MORE, type NeedMore } from "../errors.ts";
import type { Reason } from "../reason.ts";

/** Why a server cannot be used; `detail` is in words of our own. */
export interface OpeningFailure {
  readonly kind: "failed";
  readonly reason: Reason;
  readonly detail: string;
}

/** `surplus`: what came behind the last reply; it is the client's. */
export interface OpeningDone {
  readonly kind: "done";
  readonly surplus: Uint8Array;
}

/** An opening's word on what came: wait for more, say something, go on to the relay, or give the server up. */
export type OpeningAnswer =
  | NeedMore
  | { readonly kind: "send"; readonly bytes: Uint8Array }
  | OpeningDone
  | OpeningFailure;

export interface Opening {
  /** What is sent first. */
  begin(): Uint8Array;
  /** @param bytes what came now, not empty. Lent: what is kept is copied. Not to be called after `done` or `failed`. */
  received(bytes: Uint8Array): OpeningAnswer;
}

/** Several openings, one behind the other. */
export class OpeningChain implements Opening {
  readonly #openings: readonly Opening[];
  #current = 0;

  /** @param openings at least one. */
  constructor(openings: readonly Opening[]) {
    this.#openings = openings;
  }

  begin(): Uint8Array {
    return this.#openings[0]!.begin();
  }

  received(bytes: Uint8Array): OpeningAnswer {
    const answer = this.#openings[this.#current]!.received(bytes);
    if (answer === NEED_MORE || answer.kind !== "done") return answer;
    const next = this.#openings[this.#current + 1];
    if (next === undefined) return answer;
    // What comes before the question is no answer to it, and nothing else may stand there.
    if (answer.surplus.length > 0) return UNASKED;
    this.#current++;
    return { kind: "send", bytes: next.begin() };
  }
}

const UNASKED: OpeningFailure = {
  kind: "failed",
  reason: "tls_refused",
  detail: "the server spoke before it was asked for TLS",
};
