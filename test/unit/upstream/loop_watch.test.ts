import assert from "node:assert/strict";
import { test } from "node:test";
import { LoopWatch, MAX_REMEMBERED } from "../../../src/upstream/loop_watch.ts";

test("what is under way is known, and forgotten when it is over", () => {
  const loops = new LoopWatch();
  assert.equal(loops.enter("a"), true);
  assert.equal(loops.enter("a"), false);
  assert.ok(loops.has("a"));
  loops.leave("a");
  assert.equal(loops.enter("a"), true);
});

test("the oldest is forgotten first", () => {
  const loops = new LoopWatch();
  for (let index = 0; index <= MAX_REMEMBERED; index++) loops.enter(String(index));
  assert.equal(loops.size, MAX_REMEMBERED);
  assert.equal(loops.has("0"), false);
  assert.equal(loops.has("1"), true);
});
