/**
 * The first message of a PostgreSQL client: a request for TLS or GSSAPI encryption, a cancel request, or the startup
 * itself (PostgreSQL's documentation, "Frontend/Backend Protocol", "Message Formats").
 *
 * Owns: telling them apart by length and code, eight bytes. What a startup message says further is not looked at: in the
 * clear it is not wanted.
 */

import { byteAt, Reader, Writer } from "../bytes.ts";
import { NEED_MORE, type NeedMore, ParseError } from "../errors.ts";

const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;

/** Length and code: all of a request for encryption, and the beginning of the others. */
export const REQUEST_BYTES = 8;
/** A cancel request's secret key has 4 bytes, and 256 at most since protocol 3.2. */
const MAX_CANCEL = 268;
const MIN_CANCEL = 16;
/** The server's own limit for a startup message. */
const MAX_STARTUP = 10_000;

export type StartupRequest = "ssl" | "gssenc" | "cancel" | "startup";

/** @param buffer all bytes so far. Looks at the first eight. */
export function readStartupRequest(buffer: Uint8Array): StartupRequest | NeedMore | ParseError<"not_postgres"> {
  const first = byteAt(buffer, 0);
  if (first > 0) return notPostgres(0);
  if (buffer.length < REQUEST_BYTES) return byteAt(buffer, 1) > 0 ? notPostgres(1) : NEED_MORE;
  const reader = new Reader(buffer);
  const length = reader.uint32();
  const code = reader.uint32();
  if (code === SSL_REQUEST) return length === REQUEST_BYTES ? "ssl" : notPostgres(3);
  if (code === GSSENC_REQUEST) return length === REQUEST_BYTES ? "gssenc" : notPostgres(3);
  if (code === CANCEL_REQUEST) return length >= MIN_CANCEL && length <= MAX_CANCEL ? "cancel" : notPostgres(3);
  // Version 2 clients are long gone; they get the same answer.
  const major = code >>> 16;
  if ((major === 2 || major === 3) && length > REQUEST_BYTES && length <= MAX_STARTUP) return "startup";
  return notPostgres(4);
}

function notPostgres(at: number): ParseError<"not_postgres"> {
  return new ParseError("not_postgres", at, "neither TLS nor a first message of PostgreSQL");
}

/** A request for TLS. */
export function sslRequest(): Uint8Array {
  return new Writer(REQUEST_BYTES).uint32(REQUEST_BYTES).uint32(SSL_REQUEST).written();
}
