/**
 * How much of what a client sends behind a request head may go to the server: this one request's body,
 * and behind an upgrade that the server agreed to, everything (RFC 9112 6.3 and 9.3.2, RFC 9110 7.8).
 *
 * A second request on the connection may be for another host, and must never reach the first one's
 * server. Owns: that line. It holds no bytes.
 */

import { ChunkedBody } from "./chunked_body.ts";
import { FinalStatus } from "./final_status.ts";
import type { RequestBody, RequestHead } from "./request_head.ts";

type State =
  /** The body is passing. */
  | "body"
  /** The body has passed, and the server has not yet answered an upgrade. */
  | "waiting"
  /** The server switched protocols: everything passes. */
  | "open"
  /** Nothing passes any more. */
  | "shut";

/** Guards one connection's request. Constant memory. */
export class RequestGate {
  #state: State = "body";
  readonly #body: LengthBody | ChunkedBody;
  /** Of an upgrade: what the server says to it. */
  readonly #answer: FinalStatus | undefined;

  constructor(head: RequestHead) {
    this.#body = bodyOf(head.body);
    this.#answer = head.upgrade ? new FinalStatus() : undefined;
    if (this.#body.done) this.#afterBody();
  }

  /**
   * @param bytes what the client sent next behind the head.
   * @returns how many of them, from the first, go to the server. The rest is to be dropped. What comes behind an
   *   upgrade's body before the server's 101 is dropped and shuts the gate for good: no client may send that
   *   early, and a tunnel with a hole at its start would be read from the wrong place.
   */
  fromClient(bytes: Uint8Array): number {
    if (this.#state === "open") return bytes.length;
    const count = this.#state === "body" ? this.#body.take(bytes) : 0;
    if (this.#state === "body" && this.#body.done) this.#afterBody();
    if (count === bytes.length) return count;
    if (this.#isOpen()) return bytes.length;
    this.#state = "shut";
    return count;
  }

  /** What the client sent as its body is none: the request cannot end, and the server must not wait for it. */
  get broken(): boolean {
    return this.#body instanceof ChunkedBody && this.#body.failed;
  }

  /** @param bytes what the server sent next. @returns whether the gate wants to see more of it. */
  fromServer(bytes: Uint8Array): boolean {
    const answer = this.#answer;
    if (answer === undefined || this.#state === "shut" || answer.status !== 0) return false;
    if (answer.read(bytes) === 0) return true;
    if (this.#state === "waiting") this.#afterBody();
    return false;
  }

  #isOpen(): boolean {
    return this.#state === "open";
  }

  #afterBody(): void {
    const status = this.#answer?.status;
    if (status === 101) this.#state = "open";
    else this.#state = status === 0 ? "waiting" : "shut";
  }
}

/** A body of known length. */
class LengthBody {
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  get done(): boolean {
    return this.#left === 0;
  }

  take(bytes: Uint8Array): number {
    const count = Math.min(this.#left, bytes.length);
    this.#left -= count;
    return count;
  }
}

function bodyOf(body: RequestBody): LengthBody | ChunkedBody {
  if (body.kind === "chunked") return new ChunkedBody();
  return new LengthBody(body.kind === "length" ? body.length : 0);
}
