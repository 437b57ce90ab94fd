import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRandom } from "../../../src/upstream/random.ts";

describe("chance", () => {
  test("is spread evenly, from 0 up to 1", () => {
    const random = createRandom(1_700_000_000_123);
    const counts = new Array<number>(10).fill(0);
    for (let index = 0; index < 20_000; index++) {
      const value = random();
      assert.ok(value >= 0 && value < 1);
      counts[Math.floor(value * 10)]!++;
    }
    for (const count of counts) assert.ok(Math.abs(count - 2_000) < 250, counts.join());
  });

  test("each seed has its own sequence, 0 too", () => {
    const first = [0, 1, 2, 1e13].map((seed) => createRandom(seed)());
    assert.equal(new Set(first).size, 4);
  });
});
