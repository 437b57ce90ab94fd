import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Pacer, Throttle } from "../../adapters/shared/pacer.ts";
import { VirtualClock } from "../unit/proxy/simulated_world.ts";

/** Bytes that pass in `milliseconds`, looked at every `step` ms, each time all that may. */
function passed(rate: number, milliseconds: number, step: number): number {
  const throttle = new Throttle(rate, 0);
  let bytes = 0;
  for (let now = 0; now <= milliseconds; now += step) {
    const room = throttle.allowance(now);
    throttle.spend(room);
    bytes += room;
  }
  return bytes;
}

describe("a throttle", () => {
  test("lets a burst pass, and then the rate, however often it is asked", () => {
    for (const rate of [1_000, 12_345, 1_000_000, 10_000_000, 1_000_000_000]) {
      const burst = Math.max(4_096, rate / 10);
      for (const step of [0.25, 1, 7, 25, 60]) {
        const bytes = passed(rate, 60_000, step);
        assert.ok(bytes <= 60 * rate + burst, `${bytes} at ${rate} by ${step}`);
        assert.ok(bytes >= 60 * rate * 0.99 - burst, `${bytes} at ${rate} by ${step}`);
      }
    }
  });

  test("what has passed before counts, and delays the rest by ten seconds at most", () => {
    const throttle = new Throttle(20_000, 0, 4_096 + 20_000);
    assert.equal(throttle.allowance(1_000), 0);
    assert.ok(throttle.allowance(1_080) > 0);
    const deep = new Throttle(1_000, 0, 1e9);
    assert.equal(deep.allowance(11_000), 0);
    assert.ok(deep.allowance(11_500) > 0);
  });

  test("after a long rest no more than a burst", () => {
    const throttle = new Throttle(1_000_000, 0);
    throttle.spend(throttle.allowance(0));
    assert.equal(throttle.allowance(3_600_000), 100_000);
  });

  test("is not asked in vain for a few bytes", () => {
    const throttle = new Throttle(1_000, 0);
    throttle.spend(throttle.allowance(0));
    assert.equal(throttle.allowance(1_459), 0);
    assert.equal(throttle.allowance(1_461), 1_461);
  });
});

/** A throttle that lets nothing pass for a while. */
function spent(): Throttle {
  const throttle = new Throttle(1_000, 0);
  throttle.spend(throttle.room);
  return throttle;
}

describe("the pacer", () => {
  test("has one timer for all who wait, however often they ask, and none when nobody does", () => {
    const clock = new VirtualClock();
    const pacer = new Pacer(clock);
    let called = 0;
    const who = { paced: () => called++ };
    for (let i = 0; i < 1_000; i++) {
      const throttle = spent();
      for (let asked = 0; asked < 3; asked++) assert.ok(!pacer.mayPass(throttle, who));
    }
    assert.ok(pacer.mayPass(new Throttle(1_000, 0), who));
    assert.equal(clock.pending, 1);
    clock.run(100);
    assert.deepEqual([called, clock.pending], [1_000, 0]);
  });

  test("who waits again waits for the next tick; a fault costs nobody else a turn", () => {
    const clock = new VirtualClock();
    const pacer = new Pacer(clock);
    const called: string[] = [];
    const throttle = spent();
    const again = {
      paced: () => {
        if (called.push("again") < 4) pacer.mayPass(throttle, again);
      },
    };
    pacer.mayPass(throttle, again);
    pacer.mayPass(spent(), {
      paced: () => {
        throw new Error("a fault");
      },
    });
    pacer.mayPass(spent(), { paced: () => called.push("last") });
    assert.throws(() => clock.run(25), /a fault/);
    clock.run();
    assert.ok(called.includes("last") && called.filter((who) => who === "again").length === 3, called.join());
  });

  test("stopped, it calls nobody", () => {
    const clock = new VirtualClock();
    const pacer = new Pacer(clock);
    pacer.mayPass(spent(), { paced: () => assert.fail() });
    pacer.stop();
    clock.run();
    assert.equal(clock.pending, 0);
  });
});
