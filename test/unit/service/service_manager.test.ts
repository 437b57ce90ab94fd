import assert from "node:assert/strict";
import { test } from "node:test";
import { ServiceManager } from "../../../src/service/service_manager.ts";
import { VirtualClock } from "../proxy/simulated_world.ts";

function managerWith(watchdog: number | undefined) {
  const sent: string[] = [];
  const warnings: string[] = [];
  const clock = new VirtualClock();
  const notifier = {
    watchdog,
    send: (lines: readonly string[]) => void sent.push(lines.join("|")),
    monotonic: () => 42n,
  };
  const manager = new ServiceManager({ notifier, clock, warn: (message) => void warnings.push(message) });
  return { manager, sent, warnings, clock };
}

test("readiness, reload and stop, each with a status of one line", () => {
  const { manager, sent } = managerWith(undefined);
  manager.ready("serving\non 443", () => true);
  manager.reloading();
  manager.reloaded("again");
  manager.status("busy");
  manager.stopping("waiting");
  assert.deepEqual(sent, [
    "READY=1|STATUS=serving on 443",
    "RELOADING=1|MONOTONIC_USEC=42",
    "READY=1|STATUS=again",
    "STATUS=busy",
    "STOPPING=1|STATUS=waiting",
  ]);
});

test("signs of life come at half the time, and only while every worker answers", () => {
  const { manager, sent, warnings, clock } = managerWith(1000);
  let alive = true;
  manager.ready("", () => alive);
  const signs = (): number => sent.filter((line) => line === "WATCHDOG=1").length;
  assert.equal(signs(), 1);
  clock.run(2000);
  assert.equal(signs(), 5);
  alive = false;
  clock.run(4000);
  assert.equal(signs(), 5);
  assert.deepEqual(warnings, ["a worker does not answer; the service manager gets no sign of life"]);
  alive = true;
  clock.run(4600);
  assert.equal(signs(), 6);
  manager.close();
  assert.equal(clock.pending, 0);
});

test("without a service manager nothing happens", () => {
  const clock = new VirtualClock();
  const manager = new ServiceManager({ notifier: undefined, clock, warn: () => assert.fail() });
  manager.ready("", () => assert.fail());
  manager.reloading();
  manager.stopping("");
  manager.close();
  assert.equal(clock.pending, 0);
});
