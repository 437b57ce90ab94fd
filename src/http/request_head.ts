/**
 * The head of an HTTP/1 request (RFC 9112 2 to 6): request line and fields, read strictly.
 *
 * Owns: which heads are refused. What two servers could read in two ways (bare LF, folded lines, two
 * lengths, two hosts) is an error, because the router and the server behind it must see one request and
 * one host. It must not change the head; that is forwarded_head.ts.
 */

import { byteAt, latin1 } from "../bytes.ts";
import { NEED_MORE, type NeedMore, ParseError } from "../errors.ts";
import { CR, isBlank, isFieldChar, isTargetChar, isTokenChar, LF } from "./characters.ts";
import { HeadFields, type RequestBody } from "./head_fields.ts";
import type { HttpErrorCode, HttpFault } from "./http_fault.ts";
import { parseTarget } from "./target.ts";

export type { RequestBody } from "./head_fields.ts";
export type { HttpErrorCode } from "./http_fault.ts";

/** Longest head that is read, its empty line included. */
export const MAX_HEAD_BYTES: number = 65536;
const MAX_FIELDS = 256;
/** The longest registered method has 17 letters; a longer word is some other protocol. */
const MAX_METHOD_BYTES = 32;

export interface RequestHead {
  readonly method: string;
  readonly version: "1.0" | "1.1";
  /** The normalised host name without its port; `undefined` without Host (HTTP/1.0), when it is empty, or an IP literal. */
  readonly host: string | undefined;
  /** Host with its port as sent, checked: a name or an IP literal. For absolute-form, the target's. Empty if there is none. */
  readonly hostHeader: string;
  /** request-target as sent: printable ASCII without blanks. */
  readonly target: string;
  /** Length of the head, its empty line included. */
  readonly bytes: number;
  readonly body: RequestBody;
  /** The client offers to switch protocols, to one that is no HTTP (RFC 9110 7.8). */
  readonly upgrade: boolean;
}

/** What is expected next. The reader is a table of these because any byte can be the last one so far. */
type State = "method" | "target" | "version" | "line" | "name" | "value" | "line_lf" | "last_lf";

/** Reads one request head from a growing buffer. One reader a head; every byte is looked at once. */
export class RequestHeadReader {
  #position = 0;
  #state: State = "method";
  /** Where the part being read (method, target, version, name, value) began. */
  #partStart = 0;
  #method = "";
  #target = "";
  #version: "1.0" | "1.1" = "1.1";
  #name = "";
  #fieldCount = 0;
  readonly #fields = new HeadFields();

  /**
   * @param buffer all bytes so far: the same prefix at every call. Bytes behind the head are not looked at.
   * @returns the head, `NEED_MORE`, or what is wrong, at the first byte that shows it. Not to be called again after the last two.
   */
  read(buffer: Uint8Array): RequestHead | NeedMore | ParseError<HttpErrorCode> {
    const end = Math.min(buffer.length, MAX_HEAD_BYTES);
    while (this.#position < end) {
      // The bulk of a head is field values: the one state worth a loop of its own.
      if (this.#state === "value") {
        while (this.#position < end && isFieldChar(byteAt(buffer, this.#position))) this.#position++;
        if (this.#position === end) break;
      }
      const byte = byteAt(buffer, this.#position);
      const fault = this.#step(buffer, byte);
      if (fault !== undefined) return new ParseError(fault[0], this.#position, fault[1]);
      this.#position++;
      if (this.#state === "last_lf" && byte === LF) return this.#finish();
    }
    if (end < MAX_HEAD_BYTES) return NEED_MORE;
    return new ParseError("head_too_large", this.#position, "request head longer than 64 KiB");
  }

  #step(buffer: Uint8Array, byte: number): HttpFault | undefined {
    switch (this.#state) {
      case "method":
        return this.#inMethod(buffer, byte);
      case "target":
        return this.#inTarget(buffer, byte);
      case "version":
        return this.#inVersion(buffer, byte);
      case "line":
        return this.#atLineStart(byte);
      case "name":
        return this.#inName(buffer, byte);
      case "value":
        return this.#inValue(buffer, byte);
      case "line_lf":
        if (byte !== LF) return ["bad_line_end", "CR without LF"];
        this.#enter("line");
        return undefined;
      case "last_lf":
        return byte === LF ? undefined : ["bad_line_end", "CR without LF"];
    }
  }

  /** The next part begins behind the current byte. */
  #enter(state: State): void {
    this.#state = state;
    this.#partStart = this.#position + 1;
  }

  #inMethod(buffer: Uint8Array, byte: number): HttpFault | undefined {
    // RFC 9112 2.2 lets a server skip empty lines before a request; on a fresh connection nobody sends one.
    if (isTokenChar(byte)) {
      return this.#position < MAX_METHOD_BYTES ? undefined : ["not_http", "no method, but a longer word"];
    }
    if (byte !== 0x20 || this.#position === 0) return ["not_http", "not a method and a space"];
    this.#method = latin1(buffer, 0, this.#position);
    if (this.#method === "CONNECT") return ["connect_refused", "CONNECT asks for a forward proxy"];
    this.#enter("target");
    return undefined;
  }

  #inTarget(buffer: Uint8Array, byte: number): HttpFault | undefined {
    if (isTargetChar(byte)) return undefined;
    if (byte !== 0x20 || this.#position === this.#partStart) return ["bad_target", "a byte that no request-target has"];
    this.#target = latin1(buffer, this.#partStart, this.#position);
    const target = parseTarget(this.#method, this.#target);
    if (target === undefined) return ["bad_target", "neither a path, an http URL, nor OPTIONS with an asterisk"];
    this.#fields.targetAuthority = target.authority;
    this.#enter("version");
    return undefined;
  }

  #inVersion(buffer: Uint8Array, byte: number): HttpFault | undefined {
    const index = this.#position - this.#partStart;
    if (index < 7) return byte === "HTTP/1.".charCodeAt(index) ? undefined : ["bad_version", "version is not HTTP/1.x"];
    if (index === 7) return byte === 0x30 || byte === 0x31 ? undefined : ["bad_version", "version is not 1.0 or 1.1"];
    if (byte !== CR) return ["bad_line_end", "request line does not end with CRLF"];
    this.#version = byteAt(buffer, this.#position - 1) === 0x30 ? "1.0" : "1.1";
    this.#enter("line_lf");
    return undefined;
  }

  #atLineStart(byte: number): HttpFault | undefined {
    if (byte === CR) {
      this.#enter("last_lf");
      return undefined;
    }
    if (isBlank(byte)) return ["folded_field", "a line begins with a blank"];
    if (!isTokenChar(byte)) return ["bad_field", "a field name begins with a wrong byte"];
    if (++this.#fieldCount > MAX_FIELDS) return ["too_many_fields", "more than 256 fields"];
    this.#state = "name";
    return undefined;
  }

  #inName(buffer: Uint8Array, byte: number): HttpFault | undefined {
    if (isTokenChar(byte)) return undefined;
    // A blank before the colon is how one reader sees a field and another does not (RFC 9112 5.1).
    if (byte !== 0x3a) return ["bad_field", "a byte that no field name has"];
    this.#name = latin1(buffer, this.#partStart, this.#position).toLowerCase();
    this.#enter("value");
    return undefined;
  }

  #inValue(buffer: Uint8Array, byte: number): HttpFault | undefined {
    if (isFieldChar(byte)) return undefined;
    if (byte === LF) return ["bad_line_end", "LF without CR"];
    if (byte !== CR) return ["bad_field", "a control character in a field value"];
    let start = this.#partStart;
    let end = this.#position;
    while (start < end && isBlank(byteAt(buffer, start))) start++;
    while (start < end && isBlank(byteAt(buffer, end - 1))) end--;
    const fault = this.#fields.add(this.#name, buffer, start, end);
    this.#enter("line_lf");
    return fault;
  }

  #finish(): RequestHead | ParseError<HttpErrorCode> {
    const fields = this.#fields;
    const fault = fields.check(this.#version);
    if (fault !== undefined) return new ParseError(fault[0], this.#position - 1, fault[1]);
    return {
      method: this.#method,
      version: this.#version,
      host: fields.authority?.name,
      hostHeader: fields.hostHeader,
      target: this.#target,
      bytes: this.#position,
      body: fields.body,
      upgrade: this.#version === "1.1" && fields.upgrade,
    };
  }
}
