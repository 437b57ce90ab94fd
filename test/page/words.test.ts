/** The page's pure parts: texts, ticks, the verdict. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Served, stateOf } from "../../page/server_state.ts";
import { byteRate, count, duration, foreign, moment, plural, short, size } from "../../page/text.ts";
import { coarser, timeTicks, valueTicks } from "../../page/ticks.ts";
import { expiryOf, unreachable, verdictOf } from "../../page/verdict.ts";
import { sampleHistory, sampleStatus, sampleUpstreams } from "./sample.ts";

describe("texts", () => {
  test("sizes have three digits and a unit", () => {
    const sizes = [0, 7, 999, 1_000, 1_234, 12_345, 999_499, 999_500, 1.31e13];
    const shown = ["0 B", "7 B", "999 B", "1 kB", "1.23 kB", "12.3 kB", "999 kB", "1 MB", "13.1 TB"];
    assert.deepEqual(sizes.map(size), shown);
    assert.equal(byteRate(1_500_000), "1.5 MB/s");
  });

  test("counts, and numbers on an axis", () => {
    assert.equal(count(12_345), "12,345");
    assert.deepEqual([0, 0.25, 3.46, 20, 1_200, 4e6].map(short), ["0", "0.25", "3.5", "20", "1.2k", "4M"]);
    assert.deepEqual([plural(1, "server"), plural(2, "server")], ["1 server", "2 servers"]);
  });

  test("durations have two units at most", () => {
    const spans = [0, 84, 1_250, 12_000, 61_000, 3_600_000, 273_600_000];
    assert.deepEqual(spans.map(duration), ["0 ms", "84 ms", "1.3 s", "12 s", "1 min 1 s", "1 h", "3 d 4 h"]);
  });

  test("a time of another day has its date", () => {
    const noon = new Date(2026, 2, 1, 12, 4, 5).getTime();
    assert.equal(moment(noon, noon + 1_000), "12:04:05");
    assert.equal(moment(noon, noon + 86_400_000), "2026-03-01 12:04:05");
  });

  test("foreign text has no invisible or turning character, and an end", () => {
    assert.equal(foreign("a\u202eb\u0000\u200b"), "a\\u{202e}b\\x00\\u{200b}");
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 800 }), (text) => {
        assert.doesNotMatch(foreign(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        assert.ok(foreign(text).length < 3_100);
      }),
    );
  });
});

describe("ticks", () => {
  test("round values from 0 up to the highest", () => {
    assert.deepEqual(valueTicks(0, 3), [0, 1]);
    assert.deepEqual(valueTicks(87, 3), [0, 50, 100]);
    assert.deepEqual(valueTicks(0.3, 3), [0, 0.1, 0.2, 0.3]);
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e15, noNaN: true }), (highest) => {
        const ticks = valueTicks(highest, 3);
        assert.ok(ticks.length >= 2 && ticks.length <= 4, `${ticks}`);
        assert.ok(ticks.at(-1)! >= highest * 0.999999);
      }),
    );
  });

  test("whole minutes, not too many", () => {
    const ticks = timeTicks(30_000, 3_630_000, 6);
    assert.deepEqual(
      ticks,
      [1, 2, 3, 4, 5, 6].map((n) => n * 600_000),
    );
  });

  test("coarser samples lose nothing", () => {
    const { samples } = sampleHistory(0);
    const groups = coarser(samples, 7);
    const sum = (of: typeof samples): number => of.reduce((all, { sent, rejected }) => all + sent + rejected, 0);
    assert.equal(groups.length, Math.ceil(samples.length / 7));
    assert.equal(sum(groups), sum(samples));
    assert.equal(groups.at(-1)!.open, samples.at(-1)!.open);
  });
});

describe("the verdict", () => {
  const well = sampleStatus(1_000_000, true, 12);

  test("all is well, in words", () => {
    const verdict = verdictOf(well, sampleUpstreams(0, true));
    assert.deepEqual(verdict, {
      tone: "good",
      headline: "All is well",
      summary: "12 open on 2 listeners; all 5 servers up.",
    });
  });

  test("the worst finding decides, and draining is not well", () => {
    const trouble = verdictOf(sampleStatus(0, false, 12), sampleUpstreams(0, false));
    assert.equal(trouble.headline, "Trouble: 1 finding, and 2 more to look at");
    assert.match(trouble.summary, /4 of 5 servers up/);
    const finding = { level: "attention", what: "w", remedy: "r" } as const;
    assert.equal(verdictOf({ ...well, findings: [finding] }, undefined).tone, "warn");
    assert.equal(verdictOf({ ...well, state: "draining" }, undefined).tone, "warn");
  });

  test("a server that is not checked, taken out, failing or off", () => {
    const [server] = sampleUpstreams(0, true)[0]!.servers;
    const wordOf = (service: string, health: "up" | "down" | "unknown"): string =>
      stateOf({ ...server!, health, service } as Served).word;
    assert.deepEqual(
      [wordOf("in", "up"), wordOf("in", "unknown"), wordOf("down", "down"), wordOf("off", "unknown")],
      ["up", "not checked", "down", "off"],
    );
    assert.equal(stateOf({ ...server!, service: "disabled" } as Served).action, "up");
    assert.equal(stateOf({ ...server!, health: "down", service: undefined } as unknown as Served).isIn, false);
  });

  test("nobody answers: since when, and how old is what is shown", () => {
    const { headline, summary } = unreachable(0, 0);
    assert.match(headline, /^Not reachable since \d\d:\d\d:\d\d$/);
    assert.match(summary, /^What is shown is from /);
    assert.match(unreachable(0, undefined).summary, /^Nothing was heard/);
  });

  test("a certificate is a worry below 14 days", () => {
    assert.deepEqual(
      [14, 13, 0, -1].map((days) => expiryOf(days).tone),
      ["quiet", "warn", "warn", "bad"],
    );
    assert.equal(expiryOf(-1).text, "expired 1 day ago");
  });
});
