/**
 * What every opening through a proxy has: whom it asks for, as whom, and what came of a reply that is not whole yet.
 *
 * Owns: the few bytes of one reply, copied, and how a refusal is told. Its readers bound the reply: none asks for more than
 * its largest size.
 */

import type { Opening, OpeningAnswer, OpeningFailure } from "./opening.ts";
import type { ProxiedTarget, ProxyCredentials } from "./proxied_target.ts";

const EMPTY = new Uint8Array(0);

export abstract class ProxyOpening implements Opening {
  readonly target: ProxiedTarget;
  readonly #protocol: string;
  readonly #credentials: ProxyCredentials | undefined;
  #reply: Uint8Array = EMPTY;

  /** @param protocol the proxy's, for people: `SOCKS5`. */
  constructor(protocol: string, target: ProxiedTarget, credentials: ProxyCredentials | undefined) {
    this.#protocol = protocol;
    this.target = target;
    this.#credentials = credentials;
  }

  /** No field: whoever prints an opening prints no password. */
  get credentials(): ProxyCredentials | undefined {
    return this.#credentials;
  }

  abstract begin(): Uint8Array;
  abstract received(bytes: Uint8Array): OpeningAnswer;

  /** @returns all that came and was not taken; valid until the next `append`. */
  append(bytes: Uint8Array): Uint8Array {
    const grown = new Uint8Array(this.#reply.length + bytes.length);
    grown.set(this.#reply);
    grown.set(bytes, this.#reply.length);
    this.#reply = grown;
    return grown;
  }

  /** Takes the first `length` bytes out. @returns what is behind them. */
  take(length: number): Uint8Array {
    this.#reply = this.#reply.subarray(length);
    return this.#reply;
  }

  refused(why: string): OpeningFailure {
    return { kind: "failed", reason: "proxy_refused", detail: `The ${this.#protocol} proxy refused: ${why}` };
  }

  /** In words: the proxy wants to know who asks, and is not content. */
  get credentialsFault(): string {
    return this.#credentials === undefined ? "it wants credentials, and via has none" : "it wants other credentials";
  }
}
