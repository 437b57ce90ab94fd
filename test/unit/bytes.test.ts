import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { byteAt, hasAscii, latin1, Reader, uint16At, Writer } from "../../src/bytes.ts";

const SOME = Uint8Array.of(1, 2, 3, 0xff, 0xfe);

describe("single reads", () => {
  test("answer -1 outside of the bytes", () => {
    assert.equal(byteAt(SOME, 3), 0xff);
    assert.equal(byteAt(SOME, 5), -1);
    assert.equal(byteAt(SOME, -1), -1);
    assert.equal(uint16At(SOME, 0), 0x0102);
    assert.equal(uint16At(SOME, 3), 0xfffe);
    assert.equal(uint16At(SOME, 4), -1);
  });

  test("latin1 keeps every byte, also over a block's end", () => {
    const all = Uint8Array.from({ length: 3000 }, (_, index) => index & 0xff);
    const text = latin1(all, 1, 2999);
    assert.equal(text.length, 2998);
    for (let index = 0; index < text.length; index++) assert.equal(text.charCodeAt(index), (index + 1) & 0xff);
    assert.equal(latin1(all, 5, 5), "");
  });

  test("hasAscii compares at an offset and not past the end", () => {
    assert.equal(hasAscii(Uint8Array.of(0, 0x41, 0x42), 1, "AB"), true);
    assert.equal(hasAscii(Uint8Array.of(0, 0x41, 0x42), 1, "ABC"), false);
    assert.equal(hasAscii(Uint8Array.of(0, 0x41, 0x43), 1, "AB"), false);
  });
});

describe("Reader", () => {
  test("reads big-endian numbers within its range", () => {
    const reader = new Reader(SOME, 1, 4);
    assert.equal(reader.uint8(), 2);
    assert.equal(reader.uint16(), 0x03ff);
    assert.equal(reader.remaining, 0);
    assert.equal(reader.failed, false);
    assert.equal(reader.uint8(), 0);
    assert.equal(reader.failed, true);
    assert.equal(reader.position, 4);
    assert.equal(new Reader(Uint8Array.of(0xff, 0xff, 0xff, 0xfe)).uint32(), 0xfffffffe);
  });

  test("a range beyond the bytes is cut to them", () => {
    const reader = new Reader(SOME, 0, 100);
    reader.skip(5);
    assert.equal(reader.failed, false);
    assert.equal(reader.remaining, 0);
  });

  test("once failed it has nothing left, in outer vectors neither", () => {
    const reader = new Reader(SOME);
    const outer = reader.open(2);
    reader.skip(3);
    reader.close(outer);
    assert.equal(reader.failed, true);
    assert.equal(reader.remaining, 0);
    assert.equal(reader.uint8(), 0);
    assert.equal(reader.take(1).length, 0);
    assert.equal(reader.text(1), "");
  });

  test("open refuses a vector that is longer than its parent", () => {
    const reader = new Reader(SOME);
    reader.open(3);
    reader.open(4);
    assert.equal(reader.failed, true);
  });

  test("close refuses a vector that was not read to its end", () => {
    const reader = new Reader(SOME);
    const outer = reader.open(3);
    reader.skip(2);
    reader.close(outer);
    assert.equal(reader.failed, true);
  });

  test("close goes back to the parent's end", () => {
    const reader = new Reader(SOME);
    const outer = reader.open(3);
    assert.deepEqual(reader.take(3), Uint8Array.of(1, 2, 3));
    reader.close(outer);
    assert.equal(reader.remaining, 2);
    assert.equal(reader.text(2), "\u00ff\u00fe");
  });
});

describe("Writer", () => {
  test("writes what a Reader reads, from any capacity", () => {
    fc.assert(
      fc.property(fc.nat(8), fc.uint8Array({ maxLength: 300 }), fc.nat(0xffffffff), (capacity, bytes, number) => {
        const out = new Writer(capacity).uint32(number).bytes(bytes).uint16(number).uint8(number).written();
        const reader = new Reader(out);
        assert.equal(reader.uint32(), number);
        assert.deepEqual(Array.from(reader.take(bytes.length)), Array.from(bytes));
        assert.equal(reader.uint16(), number % 65536);
        assert.equal(reader.uint8(), number % 256);
        assert.equal(reader.remaining, 0);
      }),
    );
  });

  test("ascii lets line ends through and nothing else that does not print", () => {
    const out = new Writer().ascii("a\u0000\u001b\r\n\u00e4\u20ac~\u007f").written();
    assert.equal(latin1(out, 0, out.length), "a??\r\n??~?");
  });

  test("zeros are zeros", () => {
    assert.deepEqual(new Writer(1).uint8(7).zeros(3).uint8(8).written(), Uint8Array.of(7, 0, 0, 0, 8));
  });
});
