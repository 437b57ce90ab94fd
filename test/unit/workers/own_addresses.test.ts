import assert from "node:assert/strict";
import { test } from "node:test";
import { LOOK_EVERY, OwnAddresses } from "../../../src/workers/own_addresses.ts";
import { VirtualClock } from "../proxy/simulated_world.ts";

test("tells when an interface's address has come or gone", () => {
  const clock = new VirtualClock();
  let now = ["127.0.0.1", "10.0.0.5"];
  const told: (readonly string[])[] = [];
  const watch = new OwnAddresses({ clock, read: () => now, changed: (addresses) => told.push(addresses) });
  watch.start();
  now = ["10.0.0.5", "127.0.0.1"];
  clock.run(LOOK_EVERY);
  assert.deepEqual(told, []);
  now = ["127.0.0.1"];
  clock.run(2 * LOOK_EVERY);
  clock.run(3 * LOOK_EVERY);
  assert.deepEqual(told, [["127.0.0.1"]]);
  watch.stop();
  assert.equal(clock.pending, 0);
});
