/**
 * Where a chunked body ends (RFC 9112 7.1), read as it passes in constant memory.
 *
 * Strict, because a server that frames a sloppy body in another way would find a second request in it.
 * It must not decode: the bytes go on as they are.
 */

import { byteAt } from "../bytes.ts";
import { CR, isBlank, isFieldChar, isHexDigit, isTokenChar, LF } from "./characters.ts";

/** Chunk sizes below 16^12, far above any real one and safe in a number. */
const MAX_SIZE_DIGITS = 12;
/** Bytes of one chunk line, extensions included. */
const MAX_LINE_BYTES = 4096;
/** Bytes of all trailer fields. */
const MAX_TRAILER_BYTES = 16384;

type State =
  | "size"
  | "size_blank"
  | "extension"
  | "size_lf"
  | "data"
  | "data_cr"
  | "data_lf"
  | "trailer_start"
  | "trailer_name"
  | "trailer_value"
  | "trailer_lf"
  | "end_lf"
  | "done"
  | "failed";

/** Follows one chunked body. */
export class ChunkedBody {
  #state: State = "size";
  /** Of the current chunk: its size, then how much of its data is still to come. */
  #left = 0;
  #digits = 0;
  /** Of the current chunk line, later of the trailer. */
  #lineBytes = 0;

  get done(): boolean {
    return this.#state === "done";
  }

  /** The framing is broken; nothing behind that is part of the body. */
  get failed(): boolean {
    return this.#state === "failed";
  }

  /** How many of `bytes`' first bytes belong to the body. Fewer than all once `done` or `failed`. */
  take(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === "data") {
        const count = Math.min(this.#left, bytes.length - at);
        at += count;
        this.#left -= count;
        if (this.#left === 0) this.#state = "data_cr";
        continue;
      }
      if (this.done || this.failed) break;
      this.#state = this.#next(byteAt(bytes, at));
      if (this.#state === "failed") break;
      at++;
    }
    return at;
  }

  #next(byte: number): State {
    switch (this.#state) {
      case "size":
        return this.#inSize(byte);
      case "size_blank":
        // Blanks are allowed before a semicolon only (BWS).
        return byte === 0x3b ? this.#inLine("extension") : isBlank(byte) ? this.#inLine("size_blank") : "failed";
      case "extension":
        if (byte === CR) return "size_lf";
        return isFieldChar(byte) ? this.#inLine("extension") : "failed";
      case "size_lf":
        return byte === LF ? this.#chunkBegins() : "failed";
      case "data_cr":
        return byte === CR ? "data_lf" : "failed";
      case "data_lf":
        this.#digits = 0;
        this.#lineBytes = 0;
        return byte === LF ? "size" : "failed";
      default:
        return this.#inTrailer(byte);
    }
  }

  #inSize(byte: number): State {
    if (isHexDigit(byte)) {
      if (++this.#digits > MAX_SIZE_DIGITS) return "failed";
      this.#left = this.#left * 16 + (byte < 0x3a ? byte - 0x30 : (byte | 0x20) - 0x57);
      return "size";
    }
    if (this.#digits === 0) return "failed";
    if (byte === CR) return "size_lf";
    if (byte === 0x3b) return "extension";
    return isBlank(byte) ? "size_blank" : "failed";
  }

  #chunkBegins(): State {
    this.#lineBytes = 0;
    return this.#left === 0 ? "trailer_start" : "data";
  }

  #inTrailer(byte: number): State {
    if (++this.#lineBytes > MAX_TRAILER_BYTES) return "failed";
    switch (this.#state) {
      case "trailer_start":
        if (byte === CR) return "end_lf";
        return isTokenChar(byte) ? "trailer_name" : "failed";
      case "trailer_name":
        if (byte === 0x3a) return "trailer_value";
        return isTokenChar(byte) ? "trailer_name" : "failed";
      case "trailer_value":
        if (byte === CR) return "trailer_lf";
        return isFieldChar(byte) ? "trailer_value" : "failed";
      case "trailer_lf":
        return byte === LF ? "trailer_start" : "failed";
      default:
        return byte === LF ? "done" : "failed";
    }
  }

  #inLine(state: State): State {
    return ++this.#lineBytes > MAX_LINE_BYTES ? "failed" : state;
  }
}
