import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { CRC32_START, crc32Byte, crc32End, crc32Text } from "../../../src/upstream/crc32.ts";

describe("CRC-32", () => {
  test("the check value, and zlib's for any text", () => {
    assert.equal(crc32End(crc32Text(CRC32_START, "123456789")), 0xcbf43926);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        assert.equal(crc32End(crc32Text(CRC32_START, text)), crc32(text));
      }),
    );
  });

  test("in parts", () => {
    const parts = crc32Text(crc32Byte(crc32Text(CRC32_START, "a"), 0), "é");
    assert.equal(crc32End(parts), crc32("a\0é"));
  });
});
