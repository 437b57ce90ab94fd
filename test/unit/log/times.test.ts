import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isoTime, tenths } from "../../../src/log/times.ts";

describe("times of a log", () => {
  test("like Date's, whatever came before", () => {
    const time = fc.integer({ min: 0, max: 4_102_444_800_000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(time, fc.nat(3_000), fc.nat(999)), { maxLength: 50 }), (times) => {
        for (const [at, later, parts] of times) {
          const milliseconds = at + later + parts / 1000;
          assert.equal(isoTime(milliseconds), new Date(milliseconds).toISOString());
        }
      }),
    );
  });

  test("tenths, as JSON has them", () => {
    for (const [value, text] of [
      [0, "0"],
      [0.04, "0"],
      [0.05, "0.1"],
      [1.234, "1.2"],
      [9.96, "10"],
      [86_400_000.3, "86400000.3"],
    ] as const) {
      assert.equal(tenths(value), text);
    }
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e10, noNaN: true }), (value) => {
        assert.equal(Number(tenths(value)), Math.round(value * 10) / 10);
      }),
    );
  });
});
