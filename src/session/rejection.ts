/**
 * What a client is told when its connection is not relayed.
 *
 * Owns: the reply for each reason code, a TLS alert (RFC 8446 §6.2, RFC 6066 §3) or a short HTTP reply (RFC 9110 §15).
 */

import type { Route } from "../config/config.ts";
import type { ClientProtocol } from "../connection_record.ts";
import { encodeReply, httpsLocation, type ReplyStatus } from "../http/reply.ts";
import type { RequestHead } from "../http/request_head.ts";
import { REASONS, type Reason } from "../reason.ts";
import { type AlertDescription, alertFor, encodeAlert } from "../tls/alert.ts";
import type { ClientHello, TlsErrorCode } from "../tls/client_hello.ts";
import type { Prelude } from "./preread.ts";

const TLS_1_3 = 0x0304;

/** What is known of a TLS client when it is rejected. */
export interface TlsClient {
  readonly hello: ClientHello | undefined;
  readonly errorCode: TlsErrorCode | undefined;
}

const ALERTS: Readonly<Partial<Record<Reason, AlertDescription>>> = {
  no_route: "unrecognized_name",
  rejected: "access_denied",
  access_denied: "access_denied",
  address_refused: "access_denied",
  loop: "access_denied",
  resolve_failed: "internal_error",
  resolve_timeout: "internal_error",
  connect_failed: "internal_error",
  connect_timeout: "internal_error",
  proxy_refused: "internal_error",
  tls_refused: "internal_error",
  server_closed: "internal_error",
  upstream_busy: "internal_error",
  queue_timeout: "internal_error",
  upstream_down: "internal_error",
  internal_error: "internal_error",
};

/**
 * What a client is told, in what it speaks; undefined where it is told nothing, or what it speaks is not known.
 * @param prelude its first message, if it came.
 */
export function rejection(
  reason: Reason,
  speaks: ClientProtocol,
  prelude: Prelude | undefined,
  errorCode: TlsErrorCode | undefined,
): Uint8Array | undefined {
  if (speaks === "http") return httpRejection(reason, prelude?.kind === "http" ? prelude.head.method : undefined);
  const hello = prelude?.kind === "tls" ? prelude.hello : undefined;
  if (speaks !== "tls" && hello === undefined && errorCode === undefined) return undefined;
  return tlsRejection(reason, { hello, errorCode });
}

/** Why a route that leads nowhere rejects. */
export function rejectReason(route: Route, prelude: Prelude, serverName: string | undefined): Reason {
  if (prelude.kind !== "tls" && prelude.kind !== "http") return "unrouted_protocol";
  if (route.kind !== "default") return "rejected";
  return serverName === undefined ? "no_server_name" : "no_route";
}

/** The alert for `reason`, or undefined where the client gets none (what it sent is not TLS, or never came). */
export function tlsRejection(reason: Reason, client: TlsClient): Uint8Array | undefined {
  const description = alertDescription(reason, client);
  return description === undefined ? undefined : encodeAlert(description, client.hello?.legacyVersion);
}

function alertDescription(reason: Reason, client: TlsClient): AlertDescription | undefined {
  if (client.errorCode !== undefined) return alertFor(client.errorCode);
  if (reason !== "no_server_name") return ALERTS[reason];
  // RFC 8446 §9.2 has an alert for a missing server_name; before TLS 1.3 the nearest is RFC 6066's.
  return client.hello?.versions.includes(TLS_1_3) ? "missing_extension" : "unrecognized_name";
}

const STATUSES: Readonly<Partial<Record<Reason, ReplyStatus>>> = {
  not_tls: 400,
  malformed_request: 400,
  preread_too_large: 400,
  rejected: 403,
  access_denied: 403,
  no_route: 404,
  no_server_name: 404,
  address_refused: 502,
  // RFC 5842 §7.2 is about WebDAV, and yet it is what proxies say.
  loop: 508,
  resolve_failed: 502,
  connect_failed: 502,
  proxy_refused: 502,
  server_closed: 502,
  internal_error: 502,
  resolve_timeout: 504,
  connect_timeout: 504,
  preread_timeout: 408,
  preread_memory: 503,
  upstream_busy: 503,
  queue_timeout: 503,
  upstream_down: 503,
  too_many_connections: 503,
};

/** The HTTP reply for `reason` to a request of `method`, or undefined where there is nobody to tell. */
export function httpRejection(reason: Reason, method: string | undefined): Uint8Array | undefined {
  const status = STATUSES[reason];
  return status === undefined ? undefined : encodeReply(status, { detail: `${reason}: ${REASONS[reason]}`, method });
}

/** A redirect to https at `port`; undefined where the request has no Host to send the client to. */
export function redirectReply(head: RequestHead, port: number): Uint8Array | undefined {
  const location = httpsLocation(head, port);
  if (location === undefined) return undefined;
  return encodeReply(308, { detail: "redirected to https", location, method: head.method });
}
