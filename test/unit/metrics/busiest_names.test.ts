import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BusiestNames } from "../../../src/metrics/busiest_names.ts";
import { addTraffic, noTraffic } from "../../../src/metrics/traffic.ts";

const one = (bytes: number) => ({ connections: 1, rejected: 0, received: bytes, sent: 0 });

describe("busiest names", () => {
  test("exact for what fits, the sum exact for all", () => {
    const additions = fc.array(fc.tuple(fc.nat(30), fc.nat(1_000)), { maxLength: 200 });
    fc.assert(
      fc.property(additions, fc.integer({ min: 1, max: 40 }), (all, most) => {
        const names = new BusiestNames(most);
        const exact = new Map<string, number>();
        for (const [name, bytes] of all) {
          names.add(`n${name}`, one(bytes));
          exact.set(`n${name}`, (exact.get(`n${name}`) ?? 0) + bytes);
        }
        const sum = noTraffic();
        const top = names.top(Infinity);
        for (const traffic of [...top, names.others]) addTraffic(sum, traffic);
        assert.deepEqual(sum, {
          ...one(all.reduce((bytes, [, some]) => bytes + some, 0)),
          connections: all.length,
        });
        assert.ok(names.size <= most);
        if (exact.size > most) return;
        assert.deepEqual(new Map(top.map(({ name, received }) => [name, received])), exact);
      }),
    );
  });

  test("a flood of names does not push out one that is busy", () => {
    const names = new BusiestNames(100);
    for (let i = 0; i < 50_000; i++) {
      names.add(`random-${i}.test`, one(500));
      if (i % 10 === 0) names.add("busy.test", one(10_000));
    }
    const [first] = names.top(1);
    assert.equal(first?.name, "busy.test");
    assert.equal(first.received, 50_000_000);
    assert.equal(names.size, 100);
    assert.ok(names.others.connections > 49_000);
  });
});
