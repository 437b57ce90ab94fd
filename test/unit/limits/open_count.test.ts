import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createOpenMemory, OpenCount } from "../../../src/limits/open_count.ts";

describe("open connections of all workers", () => {
  const two = (): [OpenCount, OpenCount] => {
    const memory = createOpenMemory(2);
    return [new OpenCount(memory, 0), new OpenCount(memory, 1)];
  };

  test("one limit for all of them, however they are spread", () => {
    const [first, second] = two();
    assert.deepEqual([first.enter(3), first.enter(3), second.enter(3), second.enter(3)], [true, true, true, false]);
    assert.equal(first.total, 3);
    first.leave();
    assert.deepEqual([second.enter(3), first.enter(3)], [true, false]);
  });

  test("it is told once that the house is full, and once that it is not", () => {
    const [first, second] = two();
    assert.deepEqual([first.fill(), second.fill()], [true, false]);
    assert.deepEqual([second.clear(), first.clear(), first.fill()], [true, false, true]);
  });

  test("who waits is known to all; a worker that is gone holds nothing and waits no more", () => {
    const [first, second] = two();
    first.enter(9);
    second.enter(9);
    second.setWaiting(true);
    second.setWaiting(true);
    assert.equal(first.isAwaited, true);
    second.forget();
    assert.deepEqual([first.total, first.isAwaited], [1, false]);
    second.forget();
    first.leave();
    assert.equal(first.total, 0);
  });
});
