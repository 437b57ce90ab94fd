/**
 * One fatal TLS alert in the clear (RFC 8446 6, RFC 5246 7.2): how a rejection says why.
 *
 * Owns: the alert codes that a proxy without keys can have a reason to send. It decides nothing.
 */

import { Writer } from "../bytes.ts";
import type { TlsErrorCode } from "./record.ts";

/** AlertDescription values (RFC 8446 6; unrecognized_name is RFC 6066's). */
export const ALERTS = {
  unexpected_message: 10,
  record_overflow: 22,
  handshake_failure: 40,
  illegal_parameter: 47,
  access_denied: 49,
  decode_error: 50,
  protocol_version: 70,
  internal_error: 80,
  missing_extension: 109,
  unrecognized_name: 112,
} as const;

export type AlertDescription = keyof typeof ALERTS;

const ALERT = 21;
const FATAL = 2;

/**
 * A whole alert record, level fatal.
 * @param legacyVersion the hello's legacy_version, if one was read: the record takes it, kept within TLS 1.0 to 1.2,
 *   because old clients refuse a record of a version they do not know.
 */
export function encodeAlert(description: AlertDescription, legacyVersion = 0x0301): Uint8Array {
  const version = Math.max(0x0301, Math.min(legacyVersion, 0x0303));
  return new Writer(7).uint8(ALERT).uint16(version).uint16(2).uint8(FATAL).uint8(ALERTS[description]).written();
}

/** The alert that tells a client what was wrong with its hello; `undefined` for `not_tls`, whose sender could not read one. */
export function alertFor(code: TlsErrorCode): AlertDescription | undefined {
  if (code === "not_tls") return undefined;
  return code === "hello_too_large" ? "illegal_parameter" : code;
}
