/**
 * TLS records to one handshake message (RFC 8446 5.1): the first flight's reassembly.
 *
 * Owns: record headers, the 4-byte handshake header, and where records may be cut. It must not look
 * into the message; that is client_hello.ts.
 */

import { byteAt, uint16At, Writer } from "../bytes.ts";
import { NEED_MORE, type NeedMore, ParseError } from "../errors.ts";

/** Longest handshake message that is read, its 4-byte header included. Real hellos are below 20 KiB. */
export const MAX_HELLO_BYTES: number = 65536;

/**
 * What a ClientHello can get wrong. `not_tls`: the first bytes are of no TLS record at all. The others
 * are a TLS client's faults, named after the alert that RFC 8446 6 has for them; `hello_too_large` is
 * longer than `MAX_HELLO_BYTES`.
 */
export type TlsErrorCode =
  | "not_tls"
  | "unexpected_message"
  | "record_overflow"
  | "decode_error"
  | "illegal_parameter"
  | "hello_too_large";

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
const MAX_RECORD_BYTES = 16384;

/** Where a whole handshake message's body lies: `bytes[start..end)`. */
export interface HandshakeBody {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Bytes on the wire up to the end of the message, all record headers included. */
  readonly wireBytes: number;
}

/**
 * Takes the first handshake message, which must be a ClientHello, out of a growing buffer. Each wire byte
 * is looked at once, however the buffer grows; bytes are copied only if the body spans records.
 */
export class HandshakeReader {
  /** Next wire byte to look at. */
  #position = 0;
  /** End of the record that `#position` is in; equal to it between records. */
  #recordEnd = 0;
  /** Message header read so far, as a number, and how many bytes of it. */
  #header = 0;
  #headerBytes = 0;
  /** The body so far, once it is known to span records. */
  #body: Writer | undefined;

  /** `buffer` holds all bytes so far, from the connection's first on. Not to be called after another answer than `NEED_MORE`. */
  read(buffer: Uint8Array): HandshakeBody | NeedMore | ParseError<TlsErrorCode> {
    for (;;) {
      if (this.#position === this.#recordEnd) {
        const stop = this.#readRecordHeader(buffer);
        if (stop !== undefined) return stop;
      }
      const result =
        this.#headerBytes < MESSAGE_HEADER_BYTES ? this.#readMessageHeader(buffer) : this.#readBody(buffer);
      if (result !== undefined) return result;
    }
  }

  #readRecordHeader(buffer: Uint8Array): NeedMore | ParseError<TlsErrorCode> | undefined {
    const at = this.#position;
    const first = at === 0;
    const type = byteAt(buffer, at);
    if (type < 0) return NEED_MORE;
    if (type !== HANDSHAKE && !first) return error("unexpected_message", at, "another record type inside the hello");
    if (type < 20 || type > 24) return error("not_tls", at, "first byte is no TLS content type");
    const major = byteAt(buffer, at + 1);
    if (major < 0) return NEED_MORE;
    // The minor version means nothing (RFC 8446 5.1); another major version was never TLS over TCP (RFC 5246 E.1).
    if (major !== 3) return error(first ? "not_tls" : "decode_error", at + 1, "record version is not 3.x");
    if (type !== HANDSHAKE) return error("unexpected_message", at, "first record is not a handshake");
    const length = uint16At(buffer, at + 3);
    if (length < 0) return NEED_MORE;
    if (length > MAX_RECORD_BYTES) return error("record_overflow", at + 3, "record longer than 2^14 bytes");
    if (length === 0) return error("decode_error", at + 3, "zero-length handshake record");
    this.#position = at + RECORD_HEADER_BYTES;
    this.#recordEnd = this.#position + length;
    return undefined;
  }

  #readMessageHeader(buffer: Uint8Array): NeedMore | ParseError<TlsErrorCode> | undefined {
    while (this.#headerBytes < MESSAGE_HEADER_BYTES) {
      // The header itself may be cut by a record boundary.
      if (this.#position === this.#recordEnd) return undefined;
      const byte = byteAt(buffer, this.#position);
      if (byte < 0) return NEED_MORE;
      if (this.#headerBytes === 0 && byte !== CLIENT_HELLO) {
        return error("unexpected_message", this.#position, "first handshake message is no ClientHello");
      }
      this.#header = this.#header * 256 + byte;
      this.#headerBytes++;
      this.#position++;
    }
    if (this.#bodyBytes > MAX_HELLO_BYTES - MESSAGE_HEADER_BYTES) {
      return error("hello_too_large", this.#position - 3, "hello longer than 64 KiB");
    }
    if (this.#bodyBytes === 0) return error("decode_error", this.#position - 3, "empty ClientHello");
    return undefined;
  }

  #readBody(buffer: Uint8Array): HandshakeBody | NeedMore | ParseError<TlsErrorCode> | undefined {
    const missing = this.#bodyBytes - (this.#body?.length ?? 0);
    const inRecord = this.#recordEnd - this.#position;
    if (missing < inRecord) {
      // Keys change behind the hello, so it has to end with a record (RFC 8446 5.1).
      return error("unexpected_message", this.#position + missing, "hello does not end at a record boundary");
    }
    if (missing === inRecord && this.#body === undefined) {
      if (buffer.length < this.#recordEnd) return NEED_MORE;
      return { bytes: buffer, start: this.#position, end: this.#recordEnd, wireBytes: this.#recordEnd };
    }
    const end = Math.min(this.#recordEnd, buffer.length);
    if (end <= this.#position) return NEED_MORE;
    // Grows with what came, not with what the lengths claim.
    this.#body ??= new Writer(end - this.#position);
    this.#body.bytes(buffer, this.#position, end);
    this.#position = end;
    if (this.#position < this.#recordEnd) return NEED_MORE;
    if (missing > inRecord) return undefined;
    return { bytes: this.#body.written(), start: 0, end: this.#bodyBytes, wireBytes: this.#recordEnd };
  }

  /** Length of the message without its header; known once the header is read. */
  get #bodyBytes(): number {
    return this.#header % 2 ** 24;
  }
}

/**
 * The wire offset of byte `offset` of the first handshake message (its header counted), whose records
 * in `buffer` were already found good. For error reports only: it walks the records again.
 */
export function wireOffset(buffer: Uint8Array, offset: number): number {
  let at = 0;
  let left = offset;
  for (;;) {
    const length = uint16At(buffer, at + 3);
    if (length < 0 || left <= length) return at + RECORD_HEADER_BYTES + left;
    left -= length;
    at += RECORD_HEADER_BYTES + length;
  }
}

function error(code: TlsErrorCode, offset: number, detail: string): ParseError<TlsErrorCode> {
  return new ParseError(code, offset, detail);
}
