/**
 * What is known of one connection, from accept to its log line.
 *
 * Owns: `ConnectionRecord`. The session fills it in; `variables.ts` reads it. Values from the wire are raw here.
 */

import type { Endpoint } from "./address.ts";
import type { Reason } from "./reason.ts";

/**
 * What a connection's client speaks. `any`: not known (yet); `other`: none of these; `silent`: it has said nothing.
 */
export type ClientProtocol = "tls" | "http" | "postgres" | "ssh" | "any" | "other" | "silent";

/** One server that was tried. */
export interface UpstreamAttempt {
  /** `IP:port`, `unix:/path`, or the name that did not resolve. */
  readonly address: string;
  /** Empty while pending and when it connected; otherwise the error's code. */
  outcome: string;
}

export interface ConnectionRecord {
  /** Counts up from 1; no two connections of one process have the same. */
  readonly id: number;
  /** Milliseconds since the epoch at accept. */
  readonly acceptedAt: number;
  /** The client: the peer, or what a trusted PROXY header says. */
  client: Endpoint;
  /** The peer of the socket. */
  readonly peer: Endpoint;
  /** Where the client connected to: the socket's local address, or what a trusted PROXY header says. */
  server: Endpoint;
  /** The listener's address, with the port that was given for 0. */
  readonly listener: string;
  /** The listener's, or what its `any` turned out to be. */
  protocol: ClientProtocol;
  serverName: string | undefined;
  alpn: readonly string[];
  /** supported_versions, or legacy_version alone, as numbers: 0x0304 is TLS 1.3. */
  tlsVersions: readonly number[];
  ech: boolean;
  /** The route's name pattern as written, `default`, or undefined before routing. */
  route: string | undefined;
  attempts: UpstreamAttempt[];
  /** Milliseconds from routing to the server's answer; undefined when none answered. */
  connectTime: number | undefined;
  /** Bytes read from the client. */
  bytesReceived: number;
  /** Bytes sent to the client. */
  bytesSent: number;
  /** Milliseconds from accept to end. */
  duration: number;
  reason: Reason;
  /** How it would have ended at once, had a limit or an access list not been a dry run. */
  wouldReject?: Reason;
  /** What exactly happened, in our own words (names in it are normalised, never raw wire bytes); may be empty. */
  detail: string;
  /** There only where the server was told it, in a PROXY header. */
  uniqueId?: string;
}

/** No other connection of this machine has had it, whichever worker or start of the program carried it. */
export function uniqueId({ acceptedAt, id }: ConnectionRecord): string {
  return `${Math.floor(acceptedAt).toString(16)}-${id.toString(16)}`;
}

/** The servers that were tried, for a log record: `address (why it failed)`. */
export function attemptText(attempt: UpstreamAttempt): string {
  return attempt.outcome === "" ? attempt.address : `${attempt.address} (${attempt.outcome})`;
}

const NONE: readonly never[] = [];

/** A record as it is at accept. */
export function newRecord(
  id: number,
  acceptedAt: number,
  listener: string,
  protocol: ClientProtocol,
  peer: Endpoint,
  server: Endpoint,
): ConnectionRecord {
  return {
    id,
    acceptedAt,
    client: peer,
    peer,
    server,
    listener,
    protocol,
    serverName: undefined,
    alpn: NONE,
    tlsVersions: NONE,
    ech: false,
    route: undefined,
    attempts: [],
    connectTime: undefined,
    bytesReceived: 0,
    bytesSent: 0,
    duration: 0,
    reason: "internal_error",
    detail: "",
  };
}
