/** PostgreSQL's ErrorResponse (protocol 3, "Message Formats"): how a client in the clear is told why it is refused. */

import { Writer } from "../bytes.ts";

export interface PostgresError {
  /** SQLSTATE: five characters of PostgreSQL's appendix A. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export function errorResponse({ code, message, hint }: PostgresError): Uint8Array {
  const fields = new Writer(256);
  for (const [field, text] of [
    ["S", "FATAL"],
    ["V", "FATAL"],
    ["C", code],
    ["M", message],
    ["H", hint],
  ] as const) {
    if (text !== undefined) fields.ascii(field).ascii(text).zeros(1);
  }
  fields.zeros(1);
  return new Writer(5 + fields.length)
    .ascii("E")
    .uint32(4 + fields.length)
    .bytes(fields.written())
    .written();
}
