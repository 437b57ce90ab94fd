import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BUCKET_SLOTS, createLimitsMemory, layout } from "../../../src/limits/limits_memory.ts";

const create = (connectionLimit: number, workers = 1, perClient = true) =>
  createLimitsMemory({ workers, connectionLimit, perClient, random: () => 0.999_999_999 });

describe("the memory of limits", () => {
  test("four to eight slots for each connection, 16 bytes and 4 for each worker: what the README says", () => {
    for (const limit of [1_000, 8_000, 10_000, 100_000]) {
      for (const workers of [1, 4]) {
        const { buffer, buckets } = create(limit, workers);
        const slots = buckets * BUCKET_SLOTS;
        assert.ok(slots >= 4 * limit && slots < 8 * limit, `${slots} slots for ${limit}`);
        const bytes = slots * (16 + 4 * workers);
        assert.ok(buffer.byteLength >= bytes && buffer.byteLength < bytes * 1.05);
      }
    }
    assert.ok(create(8_000).buffer.byteLength < 700_000);
  });

  test("however many connections there may be, no more than a million slots; a few thousand at least", () => {
    assert.equal(create(10_000_000).buckets * BUCKET_SLOTS, 1_048_576);
    assert.equal(create(1).buckets * BUCKET_SLOTS, 1_024);
    assert.equal(create(10_000, 2, false).buffer.byteLength, 8);
  });

  test("the seed is two words of chance, and no part lies over another", () => {
    assert.ok(create(10).seed.every((word) => Number.isInteger(word) && word === (word | 0)));
    const { times, keys, counts, locks, handshakes, bytes } = layout(3, 64);
    assert.deepEqual([times, keys, counts, locks, handshakes, bytes], [0, 8192, 16384, 28672, 28928, 28940]);
  });
});
