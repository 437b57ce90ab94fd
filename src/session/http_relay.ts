/**
 * What of an HTTP client passes a relay: its one request (RFC 9112 §9.3), and a note of what does not.
 */

import { forwardedHead } from "../http/forwarded_head.ts";
import { RequestGate } from "../http/request_gate.ts";
import type { RequestHead } from "../http/request_head.ts";
import type { RelayGate } from "./step.ts";

export const BROKEN_BODY = "the chunked body breaks RFC 9112 section 7.1";

export class HttpRelay implements RelayGate {
  /** Bytes of a client that asked for more than its one request. */
  dropped = 0;
  readonly #head: RequestHead;
  readonly #gate: RequestGate;

  constructor(head: RequestHead) {
    this.#head = head;
    this.#gate = new RequestGate(head);
  }

  /** The body is no body: nothing more passes. */
  get broken(): boolean {
    return this.#gate.broken;
  }

  /** The head as the server gets it. */
  headOf(preread: Uint8Array): Uint8Array {
    return forwardedHead(preread, this.#head);
  }

  /** What passes of the part of the body that came with the head. */
  bodyOf(preread: Uint8Array): Uint8Array {
    const body = preread.subarray(this.#head.bytes);
    return body.subarray(0, Math.max(0, this.fromClient(body)));
  }

  readonly fromClient = (bytes: Uint8Array): number => {
    const passed = this.#gate.fromClient(bytes);
    if (this.#gate.broken) return -1;
    if (passed < bytes.length) this.dropped += bytes.length - passed;
    return passed;
  };

  readonly fromServer = (bytes: Uint8Array): boolean => this.#gate.fromServer(bytes);
}
