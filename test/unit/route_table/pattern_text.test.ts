import assert from "node:assert/strict";
import { test } from "node:test";
import { patternText } from "../../../src/route_table/pattern_text.ts";
import { patternOf } from "./table_fixture.ts";

test("a pattern is written as it was read", () => {
  for (const text of ["a.com", "*.a.com", ".a.com", "mail.*", "~^a[0-9]$"])
    assert.equal(patternText(patternOf(text)), text);
  assert.equal(patternText(patternOf("~*x")), "~x");
  assert.equal(patternText(patternOf("A.com.")), "a.com");
  assert.equal(patternText({ kind: "default" }), "default");
});
