import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { base64, utf8 } from "../../../src/opening/base64.ts";

test("as the platform has them, lone surrogates included", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const bytes = Buffer.from(text, "utf8");
      assert.deepEqual(utf8(text), [...bytes]);
      assert.equal(base64(utf8(text)), bytes.toString("base64"));
    }),
  );
  assert.deepEqual(utf8("a\ud800"), [...Buffer.from("a\ud800", "utf8")]);
});
