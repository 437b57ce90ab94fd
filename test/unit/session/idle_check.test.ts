import assert from "node:assert/strict";
import { test } from "node:test";
import { idleCheck } from "../../../src/session/idle_check.ts";

test("four looks in a short timeout, one in 15 s of a long one, never without a pause", () => {
  assert.deepEqual([1, 400, 60_000, 3_600_000].map(idleCheck), [1, 100, 15_000, 15_000]);
});
