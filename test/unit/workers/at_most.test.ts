import assert from "node:assert/strict";
import { test } from "node:test";
import { atMost } from "../../../src/workers/at_most.ts";
import { VirtualClock } from "../proxy/simulated_world.ts";

test("what is done in time is waited for, and leaves no timer", async () => {
  const clock = new VirtualClock();
  await atMost(clock, 1_000, Promise.resolve("done"));
  assert.equal(clock.pending, 0);
});

test("what is never done is waited for so long and no longer", async () => {
  const clock = new VirtualClock();
  let over = false;
  const waiting = atMost(clock, 1_000, new Promise(() => {})).then(() => {
    over = true;
  });
  clock.run(999);
  await Promise.resolve();
  assert.equal(over, false);
  clock.run(1_000);
  await waiting;
});
