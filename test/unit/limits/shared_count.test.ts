import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLimitsMemory } from "../../../src/limits/limits_memory.ts";
import { SharedCount } from "../../../src/limits/shared_count.ts";

describe("a count over workers", () => {
  const counts = (limit: number): SharedCount[] => {
    const memory = createLimitsMemory({ workers: 2, connectionLimit: 1, perClient: false, random: () => 0 });
    return [0, 1].map((worker) => new SharedCount(memory, worker, limit));
  };

  test("one limit for all of them", () => {
    const [first, second] = counts(2);
    assert.deepEqual(
      [first?.add(false), second?.add(false), first?.add(false), second?.add(false)],
      [true, true, false, false],
    );
    first?.subtract();
    assert.deepEqual([second?.add(false), second?.add(false)], [true, false]);
  });

  test("a dry run counts on; a worker that is gone is forgotten", () => {
    const [first, second] = counts(1);
    assert.deepEqual([second?.add(true), second?.add(true)], [true, false]);
    second?.subtract();
    assert.equal(first?.add(false), false);
    first?.forget(1);
    assert.equal(first?.add(false), true);
  });
});
