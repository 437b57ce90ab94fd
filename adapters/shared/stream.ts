/**
 * What a runtime's socket must offer so that the shared `Socket` and `Relay` can be built on it.
 *
 * A stream moves bytes and reports events to its one owner; what they mean for a connection is the owner's matter.
 * Each of `adapters/{node,deno,bun}.ts` implements it in its runtime's idiom.
 */

import type { Endpoint } from "../../src/address.ts";
import type { IoError } from "../../src/errors.ts";

/** A connected stream socket. Starts paused. Closes itself once both directions have ended. */
export interface Stream {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  /** Who gets the events; may be replaced at any time. */
  owner: StreamOwner;
  /** Nothing can be sent any more, and no event but `closed` may still come. */
  readonly closed: boolean;
  /** Lets bytes and the peer's FIN come. */
  resume(): void;
  /** Stops them. What the runtime had already read may still come. */
  pause(): void;
  /**
   * Sends `bytes` and keeps them, uncopied, as long as it needs them: until `drained`, where it returns `false`.
   * After `end` or on a broken stream they are dropped.
   */
  write(bytes: Uint8Array): boolean;
  /** FIN behind what was written. */
  end(): void;
  /** Closes behind what was written. */
  finish(): void;
  /** Closes now; what the system has not taken is dropped. `closed` follows, never before this returns. */
  destroy(): void;
  /** As `destroy`, with RST where the runtime can. */
  reset(): void;
}

export interface StreamOwner {
  /** `bytes` are valid until the next `resume` from outside this call. */
  received(bytes: Uint8Array): void;
  /** The peer's FIN, at most once. */
  ended(): void;
  /** Everything written has been taken by the system, after a `write` that returned `false`. */
  drained(): void;
  /** The last event, exactly once. An error is given where the connection broke. */
  closed(error: IoError | undefined): void;
}

/** Between its making and its first owner nothing happens on a stream. */
export const NO_OWNER: StreamOwner = { received() {}, ended() {}, drained() {}, closed() {} };

/**
 * Milliseconds without a byte before keepalive probes start. Long enough that a short outage seldom meets a probe,
 * short enough that a dead peer is found well before the usual `timeouts.idle`.
 */
export const KEEPALIVE_IDLE = 300_000;

/** Clients the kernel holds until they are accepted, where the runtime lets it be set (Linux caps it at somaxconn). */
export const LISTEN_BACKLOG = 4096;
