/**
 * One HTTP request on its way to a server: its head as it is forwarded, and of what comes behind it no more than its body.
 *
 * Owns: the head, the gate of the relay, and the count of what was dropped.
 */

import { forwardedHead } from "../http/forwarded_head.ts";
import { RequestGate } from "../http/request_gate.ts";
import type { RequestHead } from "../http/request_head.ts";
import { join } from "./preread_buffer.ts";
import type { RelayGate } from "./step.ts";

export const BROKEN_BODY = "the chunked body breaks RFC 9112 section 7.1";

export class ForwardedRequest implements RelayGate {
  /** Bytes of a client that asked for more than its one request. */
  dropped = 0;
  readonly #head: RequestHead;
  readonly #gate: RequestGate;

  constructor(head: RequestHead) {
    this.#head = head;
    this.#gate = new RequestGate(head);
  }

  /** The body cannot be what the head says it is. */
  get isBroken(): boolean {
    return this.#gate.broken;
  }

  /** For the log: what did not pass; empty where all did. */
  get note(): string {
    return this.dropped === 0 ? "" : `${this.dropped} bytes behind the first request were dropped`;
  }

  /** What the server gets of the client's first bytes; undefined where the body is broken. */
  begin(preread: Uint8Array): Uint8Array | undefined {
    const body = preread.subarray(this.#head.bytes);
    const passed = this.fromClient(body);
    return passed < 0 ? undefined : join(forwardedHead(preread, this.#head), body.subarray(0, passed));
  }

  readonly fromClient = (bytes: Uint8Array): number => {
    const passed = this.#gate.fromClient(bytes);
    if (this.#gate.broken) return -1;
    if (passed < bytes.length) this.dropped += bytes.length - passed;
    return passed;
  };

  readonly fromServer = (bytes: Uint8Array): boolean => this.#gate.fromServer(bytes);
}
