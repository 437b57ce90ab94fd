import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { History, INTERVAL, SAMPLES } from "../../../src/metrics/history.ts";

const sums = (n: number) => ({ accepted: n, received: 10 * n, sent: 20 * n, rejected: 2 * n, ended: [n, 0, 3 * n] });

describe("history", () => {
  test("each sample has what came since the one before", () => {
    const history = new History(sums(1));
    history.sample(1_000, 5, sums(4));
    history.sample(11_000, 6, sums(4));
    const [first, second] = history.answer.samples;
    assert.deepEqual(first, { at: 1_000, open: 5, accepted: 3, rejected: 6, received: 30, sent: 60 });
    assert.deepEqual(second, { at: 11_000, open: 6, accepted: 0, rejected: 0, received: 0, sent: 0 });
    assert.equal(history.answer.interval, INTERVAL);
  });

  test("an hour is kept, and what ended within it", () => {
    const history = new History(sums(0));
    assert.deepEqual(history.lastHour([5, 0, 15]), [5, 0, 15]);
    for (let n = 1; n <= 500; n++) history.sample(n, 0, sums(n));
    assert.equal(history.answer.samples.length, SAMPLES);
    assert.equal(history.answer.samples[0]?.at, 500 - SAMPLES + 1);
    assert.deepEqual(history.lastHour([500, 0, 1500]), [SAMPLES, 0, 3 * SAMPLES]);
  });
});
