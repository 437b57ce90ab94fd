/**
 * The two ways in which input can be wrong, and the signal that more of it is needed.
 *
 * Owns: `ParseError` (wire bytes) and `NEED_MORE`. It must not format messages for people
 * beyond one line, and never holds wire bytes: an error is safe to log.
 */

/** A parser's answer when the bytes so far are a valid prefix of what it reads. */
export const NEED_MORE: unique symbol = Symbol("NEED_MORE");
export type NeedMore = typeof NEED_MORE;

/**
 * Wire bytes that cannot be what the parser reads. A plain value, not an `Error`: it is returned, never
 * thrown, so that hostile input costs no stack trace.
 */
export class ParseError<Code extends string = string> {
  /** Stable identifier, for tests and metrics. */
  readonly code: Code;
  /** Index of the offending byte, counted from the first byte of the connection. */
  readonly offset: number;
  /** What was wrong, in one line of our own words: no byte of the input is in it. */
  readonly detail: string;

  constructor(code: Code, offset: number, detail: string) {
    this.code = code;
    this.offset = offset;
    this.detail = detail;
  }
}

/** A failed operation of the outside world (listen, connect, read, resolve), as the core sees it. */
export interface IoError {
  /** The system's name for it: `ECONNREFUSED`, `EADDRINUSE`, `ENOTFOUND`, … or `EUNKNOWN`. */
  readonly code: string;
  readonly message: string;
}
