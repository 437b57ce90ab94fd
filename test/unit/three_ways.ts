/**
 * Runs a parser three ways and demands one answer: all bytes at once, byte by byte, and with a tail behind
 * what it took. Every parser of preread bytes is tested through here.
 */

import assert from "node:assert/strict";
import { NEED_MORE, type NeedMore, ParseError } from "../../src/errors.ts";

export interface Parser<T> {
  read(buffer: Uint8Array): T | NeedMore | ParseError;
}

/**
 * The answer of a fresh parser to `bytes`. Fails the test if it depends on how the bytes came, or, once the
 * parser was satisfied, on what follows. `tail` is put behind the bytes; a parser that needs more gets none.
 */
export function threeWays<T>(create: () => Parser<T>, bytes: Uint8Array, tail: Uint8Array): T | NeedMore | ParseError {
  const whole = create().read(bytes);
  assert.deepEqual(inChunks(create, bytes, [1]), whole, "byte by byte");
  if (whole !== NEED_MORE) assert.deepEqual(create().read(concat(bytes, tail)), whole, "with a tail");
  return whole;
}

/** The answer when `bytes` come in chunks of the given sizes, over and over; a growing buffer each time. */
export function inChunks<T>(
  create: () => Parser<T>,
  bytes: Uint8Array,
  sizes: readonly number[],
): T | NeedMore | ParseError {
  const parser = create();
  let answer = parser.read(bytes.slice(0, 0));
  let at = 0;
  for (let turn = 0; answer === NEED_MORE && at < bytes.length; turn++) {
    at = Math.min(bytes.length, at + Math.max(1, sizes[turn % sizes.length] ?? 1));
    // A copy each time: a parser must not keep a view of an earlier buffer.
    answer = parser.read(bytes.slice(0, at));
  }
  return answer;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function fromHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16);
  return bytes;
}

/** One byte a character (ISO 8859-1). */
export function fromText(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export function codeOf(answer: unknown): string {
  return answer instanceof ParseError ? answer.code : `no error: ${String(answer)}`;
}

/**
 * A buffer that counts the bytes looked at through it, one by one or as a view: how a test measures work
 * without a clock.
 */
export function counted(bytes: Uint8Array, counter: { bytes: number }): Uint8Array {
  return new Proxy(bytes, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) {
        counter.bytes++;
        return target[Number(key)];
      }
      if (key === "subarray" || key === "slice") {
        return (start?: number, end?: number) => {
          const part = target[key](start, end);
          counter.bytes += part.length;
          return part;
        };
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
