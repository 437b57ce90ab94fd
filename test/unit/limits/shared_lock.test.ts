import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withLock } from "../../../src/limits/shared_lock.ts";

describe("a lock in shared memory", () => {
  test("is held for the task, and free afterwards", () => {
    const words = new Int32Array(new SharedArrayBuffer(8));
    assert.equal(
      withLock(words, 1, () => words[1]),
      1,
    );
    assert.deepEqual([...words], [0, 0]);
  });

  test("of a holder that is gone is taken over in the end", { timeout: 30_000 }, () => {
    const shared = new Int32Array(new SharedArrayBuffer(4));
    shared[0] = 1;
    assert.equal(
      withLock(shared, 0, () => "in"),
      "in",
    );
    assert.deepEqual([...shared], [0]);
  });
});
