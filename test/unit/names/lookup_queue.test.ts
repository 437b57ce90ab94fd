import assert from "node:assert/strict";
import { test } from "node:test";
import { LookupQueue, MAX_WAITING } from "../../../src/names/lookup_queue.ts";

test("so many at once; names that are known before new ones", () => {
  const queue = new LookupQueue(1);
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const add = (name: string, known: boolean): boolean =>
    queue.add((ended) => {
      started.push(name);
      ends.push(ended);
    }, known);
  for (const [name, known] of [
    ["first", false],
    ["new", false],
    ["known", true],
  ] as const) {
    assert.ok(add(name, known));
  }
  ends[0]!();
  // A second word about an end is nothing.
  ends[0]!();
  assert.deepEqual(started, ["first", "known"]);
  ends[1]!();
  assert.deepEqual(started, ["first", "known", "new"]);
});

test("what waits is bounded", () => {
  const queue = new LookupQueue(1);
  for (let index = 0; index <= MAX_WAITING; index++) assert.ok(queue.add(() => {}, false));
  assert.equal(
    queue.add(() => {}, false),
    false,
  );
  assert.equal(
    queue.add(() => {}, true),
    true,
  );
});
