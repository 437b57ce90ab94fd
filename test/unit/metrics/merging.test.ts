import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ConnectionRecord } from "../../../src/connection_record.ts";
import { Histogram, SHORT_TIMES } from "../../../src/metrics/histogram.ts";
import { MergedNumbers } from "../../../src/metrics/merged_numbers.ts";
import { REASON_CODES, Tally } from "../../../src/metrics/tally.ts";
import { isRejection, REMEDIES } from "../../../src/remedy.ts";
import { record } from "./metrics_fixture.ts";

interface Ended {
  readonly worker: number;
  readonly tells: boolean;
  readonly record: ConnectionRecord;
  readonly preread: number | undefined;
}

const someEnded: fc.Arbitrary<Ended> = fc.record({
  worker: fc.nat(3),
  tells: fc.boolean(),
  preread: fc.option(fc.nat(20_000), { nil: undefined }),
  record: fc
    .record({
      listener: fc.constantFrom("a:1", "b:2"),
      route: fc.option(fc.constantFrom("x.test", "*.test", "default"), { nil: undefined }),
      serverName: fc.option(fc.constantFrom("x.test", "y.test", "__proto__"), { nil: undefined }),
      reason: fc.constantFrom(...REASON_CODES),
      bytesReceived: fc.nat(100_000),
      bytesSent: fc.nat(100_000),
      duration: fc.nat(10_000_000),
      connectTime: fc.option(fc.nat(20_000), { nil: undefined }),
    })
    .map((changes) => record(changes)),
});

function count(tally: Tally, { record: ended, preread }: Ended): void {
  tally.accepted(ended.listener);
  tally.ended(ended, preread, undefined);
  if (ended.route !== undefined) tally.serverConnected("pool", ended.route, 3);
  if (ended.reason === "connect_failed") tally.serverFailed("pool", "10.0.0.1:443", "ECONNREFUSED");
}

function picture(numbers: MergedNumbers) {
  const plain = (table: { rows(): Iterable<{ first: string; second: string; value: unknown }> }) =>
    Object.fromEntries([...table.rows()].map(({ first, second, value }) => [`${first}|${second}`, value]));
  return {
    sums: numbers.sums,
    listeners: plain(numbers.listeners),
    routes: plain(numbers.routes),
    servers: plain(numbers.servers),
    names: numbers.names.top(Infinity).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    times: [numbers.preread, numbers.connect, numbers.session],
  };
}

describe("numbers of several threads", () => {
  test("told in any order and any portions, they are those of one place", () => {
    fc.assert(
      fc.property(fc.array(someEnded, { maxLength: 60 }), (all) => {
        const here = new Tally();
        for (const ended of all) count(here, ended);
        const one = new MergedNumbers();
        one.merge(0, here.take());
        const workers = [0, 1, 2, 3].map(() => new Tally());
        const many = new MergedNumbers();
        for (const ended of all) {
          count(workers[ended.worker]!, ended);
          if (ended.tells) many.merge(ended.worker, structuredClone(workers[ended.worker]!.take()));
        }
        for (const [index, worker] of [...workers.entries()].toReversed()) {
          many.merge(index, structuredClone(worker.take()));
        }
        assert.deepEqual(picture(many), picture(one));
        const { accepted, ended, rejected } = many.sums;
        assert.equal(accepted, all.length);
        assert.equal(
          ended.reduce((sum, some) => sum + some, 0),
          all.length,
        );
        assert.equal(rejected, all.filter(({ record: { reason } }) => isRejection(reason)).length);
      }),
    );
  });

  test("a worker that dies loses what it had open, and nothing that it had told", () => {
    const tally = new Tally();
    const numbers = new MergedNumbers();
    for (let i = 0; i < 3; i++) tally.accepted("a:1");
    tally.ended(record({ listener: "a:1" }), undefined, undefined);
    numbers.merge(1, tally.take());
    assert.equal(numbers.openOf("a:1"), 2);
    numbers.lost(1);
    assert.deepEqual([numbers.openOf("a:1"), numbers.sums.accepted], [0, 3]);
    // Another one in its place.
    const next = new Tally();
    next.accepted("a:1");
    numbers.merge(1, next.take());
    assert.deepEqual([numbers.openOf("a:1"), numbers.sums.accepted], [1, 4]);
  });

  test("what stays open is told again as such, and counted once", () => {
    const tally = new Tally();
    const numbers = new MergedNumbers();
    tally.accepted("a:1");
    numbers.merge(0, tally.take());
    assert.equal(tally.hasNews, false);
    numbers.merge(0, tally.take());
    assert.equal(numbers.openOf("a:1"), 1);
    tally.ended(record({ listener: "a:1" }), 1, undefined);
    numbers.merge(0, tally.take());
    assert.deepEqual([numbers.openOf("a:1"), numbers.sums.accepted], [0, 1]);
  });

  test("outcomes of connects are bounded", () => {
    const tally = new Tally();
    for (let i = 0; i < 100; i++) tally.serverFailed("pool", "s:1", `E${i}`);
    const numbers = new MergedNumbers();
    numbers.merge(0, tally.take());
    const { failures } = numbers.servers.at("pool", "s:1");
    assert.equal(failures.size, 21);
    assert.equal(failures.get("other"), 80);
  });

  test("each reason has its say about remedies", () => {
    assert.deepEqual(Object.keys(REMEDIES).toSorted(), [...REASON_CODES].toSorted());
  });
});

describe("histogram", () => {
  test("a value is in the first bucket whose bound it does not exceed", () => {
    const histogram = new Histogram(SHORT_TIMES);
    for (const time of [0, 0.5, 0.6, 15_000, 15_001]) histogram.observe(time);
    assert.deepEqual([histogram.counts[0], histogram.counts[1], ...histogram.counts.slice(-2)], [2, 1, 1, 1]);
    assert.equal(histogram.count, 5);
    assert.equal(histogram.sum, 30_002.1);
  });
});
