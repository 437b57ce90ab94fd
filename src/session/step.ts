/**
 * What a session tells its driver to do next. Types only.
 */

import type { RelayPassed } from "../adapter.ts";
import type { Endpoint } from "../address.ts";
import type { RateConfig } from "../config/config.ts";
import type { Reason } from "../reason.ts";
import type { Place } from "../upstream/waiting_line.ts";

export type Step =
  /** Read more from the client. */
  | { readonly kind: "read" }
  /** Send `bytes` to the client and read more from it. */
  | { readonly kind: "answer"; readonly bytes: Uint8Array }
  /** Nothing now: an answer that was asked for is still to come, or the deadline. */
  | { readonly kind: "wait" }
  /** Give up pending attempts and look up `name`; answer with `resolved` or `resolveFailed`. */
  | { readonly kind: "resolve"; readonly name: string }
  /** Connect; answer with `connected` or `connectFailed` and the attempt's number. */
  | {
      readonly kind: "connect";
      readonly attempt: number;
      readonly endpoint: Endpoint;
      /** Pending attempts go on beside this one (RFC 8305 §5); otherwise they are given up first. */
      readonly alongside: boolean;
    }
  /** Wait for a server that has room: whenever `place.wake` is called, answer with `freed`. Read from the client meanwhile. */
  | { readonly kind: "queue"; readonly place: Place }
  /**
   * Send `bytes` (there may be none) to the attempt that connected, give up the others, and read from it. Answer with
   * `serverReceived` or `serverGone`. `resolve`, `connect` and `close` close it.
   */
  | { readonly kind: "exchange"; readonly bytes: Uint8Array }
  /**
   * Send `head` to the attempt that connected, give up the others, and read from both sides. Answer with `serverReceived`,
   * `serverGone`, `received` or `ended`, whichever comes first.
   */
  | { readonly kind: "offer"; readonly head: Uint8Array }
  /** Join the client and the server that connected; give up the others. Answer with `relayed`. */
  | {
      readonly kind: "relay";
      /** What the server gets first. */
      readonly head: Uint8Array;
      readonly gate: RelayGate | undefined;
      readonly rate: RateConfig | undefined;
      /** What has passed already, where there is a rate. */
      readonly passed?: RelayPassed;
      /** What the client gets first, lent for the call: the server has said it already. */
      readonly answer: Uint8Array | undefined;
    }
  /** End the relay at once; answer with `relayed`. */
  | { readonly kind: "cut" }
  /** Finished: send `reply` if there is one, close, write the log line. The session takes no more input. */
  | { readonly kind: "close"; readonly reason: Reason; readonly reply: Uint8Array | undefined };

/** Limits what passes a relay: see `RelayOptions` of the adapter contract. */
export interface RelayGate {
  readonly fromClient: (bytes: Uint8Array) => number;
  readonly fromServer: ((bytes: Uint8Array) => boolean) | undefined;
}

export const READ: Step = { kind: "read" };
export const WAIT: Step = { kind: "wait" };
