/**
 * Bounds-checked reading and writing of wire bytes, big-endian.
 *
 * The only file that indexes wire bytes. Nothing here throws: a `Reader` that runs past its limit is
 * `failed` from then on and answers zeros, so that hostile input costs no exception and no parser can
 * loop on it. It must not know any protocol.
 */

import type { ByteCache } from "./byte_cache.ts";

/** The byte at `index`, or -1 outside of `bytes`. */
export function byteAt(bytes: Uint8Array, index: number): number {
  const byte = bytes[index];
  return byte === undefined ? -1 : byte;
}

/** The 16-bit number at `index`, or -1 if not all of it is inside of `bytes`. */
export function uint16At(bytes: Uint8Array, index: number): number {
  const low = byteAt(bytes, index + 1);
  return low < 0 ? -1 : byteAt(bytes, index) * 256 + low;
}

/** ISO 8859-1 text of `bytes[start..end)`, which lie inside: one character a byte, so nothing is lost or merged. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= BLOCK) return latin1Block(bytes, start, end);
  let text = "";
  for (let from = start; from < end; from += BLOCK) text += latin1Block(bytes, from, Math.min(from + BLOCK, end));
  return text;
}

/** Arguments of one `fromCharCode` call: engines limit them. */
const BLOCK = 1024;

function latin1Block(bytes: Uint8Array, start: number, end: number): string {
  // Applied to a plain array: measured the fastest way for short texts in V8 and JSC.
  const codes: number[] = new Array(end - start);
  for (let index = 0; index < codes.length; index++) codes[index] = bytes[start + index] as number;
  return String.fromCharCode.apply(null, codes);
}

/** The bytes of ISO 8859-1 text, as `latin1` reads them. */
export function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Whether `bytes` holds the ASCII `text` at `start`. */
export function hasAscii(bytes: Uint8Array, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** Reads numbers and vectors from one range of bytes. */
export class Reader {
  /** Index in the underlying bytes of what is read next; after a failure, of what could not be read. */
  position: number;
  /** Index behind the last byte that may be read; see `open`. */
  limit: number;
  /** Something ran past the limit, or `close` found bytes left over. Never reset. */
  failed = false;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.position = start;
    this.limit = Math.min(end, bytes.length);
  }

  /** Bytes left before the limit; 0 once failed. */
  get remaining(): number {
    return this.limit - this.position;
  }

  uint8(): number {
    if (this.position >= this.limit) return this.#fail();
    return this.#bytes[this.position++] as number;
  }

  uint16(): number {
    const at = this.position;
    if (this.limit - at < 2) return this.#fail();
    this.position = at + 2;
    return ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number);
  }

  uint32(): number {
    if (this.limit - this.position < 4) return this.#fail();
    return this.uint16() * 65536 + this.uint16();
  }

  skip(count: number): void {
    if (count > this.limit - this.position) this.#fail();
    else this.position += count;
  }

  /** A view of the next `count` bytes; empty when they are not all there. */
  take(count: number): Uint8Array {
    const start = this.position;
    this.skip(count);
    return this.#bytes.subarray(start, this.position);
  }

  /** The next `count` bytes as ISO 8859-1. */
  text(count: number): string {
    const start = this.position;
    this.skip(count);
    return latin1(this.#bytes, start, this.position);
  }

  /** What `cache` knows of all that is left up to the limit, which then counts as read. */
  known<Value>(cache: ByteCache<Value>): Value | undefined {
    const value = cache.get(this.#bytes, this.position, this.limit);
    if (value !== undefined) this.position = this.limit;
    return value;
  }

  /** Has `cache` remember what the bytes from `start` on were read as. */
  remember<Value>(cache: ByteCache<Value>, start: number, value: Value): void {
    cache.set(this.#bytes, start, this.position, value);
  }

  /** Enters a vector of `length` bytes: nothing behind it can be read until `close`. Returns what `close` wants. */
  open(length: number): number {
    const outer = this.limit;
    if (length > outer - this.position) this.#fail();
    else this.limit = this.position + length;
    return outer;
  }

  /** Leaves the vector that `open` entered; fails if not all of it was read. */
  close(outer: number): void {
    if (this.position !== this.limit) this.#fail();
    else if (!this.failed) this.limit = outer;
  }

  #fail(): 0 {
    this.failed = true;
    this.limit = this.position;
    return 0;
  }
}

/** Appends numbers, bytes and text to a buffer that grows by doubling. */
export class Writer {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  uint8(value: number): this {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
    return this;
  }

  uint16(value: number): this {
    return this.uint8(value >>> 8).uint8(value);
  }

  uint32(value: number): this {
    return this.uint16(value >>> 16).uint16(value);
  }

  bytes(source: Uint8Array, start = 0, end: number = source.length): this {
    const part = source.subarray(start, end);
    const at = this.#reserve(part.length);
    this.#bytes.set(part, at);
    return this;
  }

  /** One byte a character; what is no printable ASCII, CR or LF becomes `?`. */
  ascii(text: string): this {
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      const printable = (code >= 0x20 && code < 0x7f) || code === 0x0d || code === 0x0a;
      this.uint8(printable ? code : 0x3f);
    }
    return this;
  }

  /** Replaces what was written at `at`. */
  setUint32(at: number, value: number): this {
    for (let index = 0; index < 4; index++) this.#bytes[at + index] = value >>> (24 - 8 * index);
    return this;
  }

  zeros(count: number): this {
    this.#reserve(count);
    return this;
  }

  /** A view of what was written; later writes may move away from it. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length) as Uint8Array<ArrayBuffer>;
  }

  #reserve(count: number): number {
    const at = this.#length;
    this.#length = at + count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return at;
  }
}
