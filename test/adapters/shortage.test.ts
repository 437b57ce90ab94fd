import assert from "node:assert/strict";
import { test } from "node:test";
import { Shortage } from "../../adapters/shared/shortage.ts";

test("a shortage is told once, however often accepting fails, and again after ten quiet seconds", () => {
  let now = 0;
  const told: string[] = [];
  const shortage = new Shortage({ now: () => now }, (code) => told.push(code));
  for (; now < 60_000; now += 100) shortage.failed("EMFILE");
  assert.deepEqual(told, ["EMFILE"]);
  now += 9_000;
  shortage.failed("ENFILE");
  assert.equal(told.length, 1);
  now += 10_001;
  shortage.failed("ENFILE");
  assert.deepEqual(told, ["EMFILE", "ENFILE"]);
});
