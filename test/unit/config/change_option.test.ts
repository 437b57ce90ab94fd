import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChange } from "../../../src/config/change_option.ts";

test("onChange: keep, drain with a time, cut", () => {
  assert.equal(parseChange("keep"), "keep");
  assert.equal(parseChange("cut"), 0);
  assert.equal(parseChange(" drain  30s "), 30_000);
  for (const bad of ["", "drain", "drain 30", "drain 0s", "drain 99d", "drain 3s 4s", "cut now", "kep", "drain -1s"]) {
    const refusal = parseChange(bad);
    assert.ok(typeof refusal === "object", bad);
    assert.match(refusal.error, /drain/);
  }
});
