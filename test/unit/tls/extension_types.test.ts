import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ExtensionTypes } from "../../../src/tls/extension_types.ts";

test("is a set of 16-bit numbers, empty after clear", () => {
  const type = fc.oneof(fc.integer({ min: 0, max: 130 }), fc.integer({ min: 0, max: 0xffff }));
  const seen = new ExtensionTypes();
  fc.assert(
    fc.property(fc.array(type, { maxLength: 200, size: "max" }), (types) => {
      seen.clear();
      const model = new Set<number>();
      for (const one of types) {
        assert.equal(seen.add(one), !model.has(one), `${one}`);
        model.add(one);
      }
    }),
  );
});
