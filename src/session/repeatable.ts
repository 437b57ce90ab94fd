/**
 * Whether a first message that one server was sent may be sent to another.
 *
 * A server that closes before its first byte may still have acted on what it got. A ClientHello alone starts nothing;
 * a request may be repeated where its method says so (RFC 9110 §9.2.2).
 */

import type { Prelude } from "./preread.ts";

const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** @param length bytes of the client that the server gets: what is behind a ClientHello may be early data (RFC 8446 §8). */
export function isRepeatable(prelude: Prelude, length: number): boolean {
  switch (prelude.kind) {
    case "tls":
      return length === prelude.hello.bytes;
    case "http":
      return IDEMPOTENT.has(prelude.head.method);
    default:
      return false;
  }
}
