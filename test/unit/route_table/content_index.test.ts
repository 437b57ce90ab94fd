import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ContentIndex } from "../../../src/route_table/content_index.ts";

test("one number for each text, in the order of their coming", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 4, unit: "grapheme" })), (texts) => {
      const index = new ContentIndex();
      const numbers = new Map<string, number>();
      for (const text of texts) {
        if (!numbers.has(text)) numbers.set(text, numbers.size);
        assert.equal(index.numberOf(text), numbers.get(text));
      }
      assert.equal(index.size, numbers.size);
    }),
  );
});

test("of many", () => {
  const index = new ContentIndex();
  for (const _ of [1, 2]) {
    for (let number = 0; number < 50_000; number++)
      assert.equal(index.numberOf(`i443 10.0.${number >> 8}.${number & 255}`), number);
  }
});
