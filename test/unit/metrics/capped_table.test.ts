import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CappedTable } from "../../../src/metrics/capped_table.ts";

interface Count {
  count: number;
}

const table = (shown: number, most: number) =>
  new CappedTable<Count>({
    shown,
    most,
    make: () => ({ count: 0 }),
    add: (sum, { count }) => {
      sum.count += count;
    },
  });

const series = (counts: CappedTable<Count>) =>
  new Map([...counts.series()].map(({ labels, value }) => [labels.join("/"), value.count]));

describe("capped table", () => {
  test("the first ones have series of their own, the rest is in one", () => {
    const counts = table(2, 3);
    for (const [key, times] of [
      ["a", 1],
      ["b", 2],
      ["c", 3],
      ["d", 4],
      ["e", 5],
    ] as const) {
      for (let i = 0; i < times; i++) counts.at(key, "x").count++;
    }
    assert.deepEqual(
      [...series(counts)],
      [
        ["a/x", 1],
        ["b/x", 2],
        ["other/other", 12],
      ],
    );
    assert.equal(counts.get("c", "x")?.count, 3);
    assert.equal(counts.get("d", "x"), undefined);
    assert.equal(counts.rest?.count, 9);
  });

  test("no series ever goes back, whatever is forgotten, and the sum is exact", () => {
    const steps = fc.array(fc.oneof(fc.nat(20), fc.constant("forget" as const)), { maxLength: 100 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), fc.nat(10), (all, shown, more) => {
        const counts = table(shown, shown + more);
        let before = series(counts);
        let added = 0;
        for (const step of all) {
          if (step === "forget") counts.makeRoom((first) => Number(first) % 2 === 0);
          else {
            counts.at(String(step)).count++;
            added++;
          }
          const now = series(counts);
          for (const [key, value] of now) assert.ok(value >= (before.get(key) ?? 0), key);
          assert.equal(
            [...now.values()].reduce((sum, value) => sum + value, 0),
            added,
          );
          assert.ok(now.size <= shown + 1);
          before = now;
        }
      }),
    );
  });
});
