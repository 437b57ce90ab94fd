/**
 * What the core asks of the machine to see whether a server is well: one connection of certless' own. Types only.
 *
 * Implemented once for all runtimes, in `adapters/host/probe.ts`. What the answer means is decided in `health/`.
 */

import type { Endpoint } from "./address.ts";
import type { IoError } from "./errors.ts";

/** Starts a probe; `done` is called exactly once, never before it returns. @returns gives it up: `done` is not called then. */
export type StartProbe = (request: ProbeRequest, done: (result: ProbeResult) => void) => () => void;

export interface ProbeRequest {
  readonly endpoint: Endpoint;
  /** Milliseconds for everything. */
  readonly timeout: number;
  /** Local addresses to connect from, at most one of each family. */
  readonly bind?: readonly string[];
  /** Sent before anything else: a PROXY header. */
  readonly prefix?: Uint8Array | undefined;
  /** Make a TLS handshake; the certificate is read, and never a reason to fail. */
  readonly tls?: ProbeTls | undefined;
  /** Say something and listen to the answer. */
  readonly exchange?: ProbeExchange | undefined;
}

export interface ProbeTls {
  readonly serverName: string | undefined;
  /** Offer HTTP/2, and read some hundreds of the certificate's names. */
  readonly closely?: boolean | undefined;
}

export interface ProbeExchange {
  readonly send: Uint8Array;
  /** Given what the server says, which is hostile; true: it has heard enough. */
  received(bytes: Uint8Array): boolean;
}

/** How far it came; durations in milliseconds. */
export type ProbeResult =
  | {
      readonly ok: true;
      readonly duration: number;
      readonly certificate: Certificate | undefined;
      /** The server chose HTTP/2, where it was offered. */
      readonly multiplexes?: boolean;
    }
  | { readonly ok: false; readonly duration: number; readonly stage: ProbeStage; readonly error: IoError };

/** What a probe was at when it failed. */
export type ProbeStage = "connect" | "handshake" | "exchange";

/** A server's certificate, as far as anyone asks. Its texts are the server's own, at most a few hundred characters, and not escaped. */
export interface Certificate {
  /** Common name, or the whole subject. */
  readonly subject: string;
  /** The names it is for, the first ones; IP addresses included. */
  readonly names: readonly string[];
  readonly issuer: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SHA-256 in hexadecimal. */
  readonly fingerprint: string;
  /** Why it is not for the name that was asked (RFC 9525); undefined where it is, or where none was asked. */
  readonly mismatch: string | undefined;
  /** Why its chain is not trusted on this machine, a code of OpenSSL's; undefined where it is. */
  readonly untrusted: string | undefined;
}
