import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AT_ONCE, LiveTraffic } from "../../../src/metrics/live_traffic.ts";
import { MergedNumbers } from "../../../src/metrics/merged_numbers.ts";
import { Tally } from "../../../src/metrics/tally.ts";
import { LOOK, ThreadMetrics } from "../../../src/metrics/thread_metrics.ts";
import { VirtualClock } from "../proxy/simulated_world.ts";
import { LISTENER, record } from "./metrics_fixture.ts";

function connection(received = 0, sent = 0) {
  return {
    record: record({ route: "r", serverName: "n.test" }),
    bytesReceived: received,
    bytesSent: sent,
    isOver: false,
    prereadTime: 1 as number | undefined,
  };
}

describe("numbers of a thread", () => {
  test("bytes of open connections count once a second, and no byte twice", () => {
    const clock = new VirtualClock();
    const open = new Set([connection(500, 0)]);
    const [client] = open;
    const numbers = new MergedNumbers();
    const metrics = new ThreadMetrics({ clock, connections: () => open, changed: tell });
    function tell(): void {
      const delta = metrics.take();
      if (delta !== undefined) numbers.merge(0, delta);
    }
    metrics.start();
    metrics.accepted(client!.record);
    clock.run(1_000);
    assert.deepEqual([numbers.sums.received, numbers.sums.sent], [500, 0]);
    client!.bytesSent = 70_000;
    client!.bytesReceived = 600;
    clock.run(2_500);
    assert.deepEqual([numbers.sums.received, numbers.sums.sent], [600, 70_000]);
    assert.deepEqual(
      { ...numbers.routes.get(LISTENER, "r") },
      { connections: 0, rejected: 0, received: 600, sent: 70_000 },
    );
    client!.record.bytesReceived = 650;
    client!.record.bytesSent = 80_000;
    metrics.ended(client!);
    client!.isOver = true;
    clock.run(5_000);
    tell();
    assert.deepEqual([numbers.sums.received, numbers.sums.sent, numbers.openOf(LISTENER)], [650, 80_000, 0]);
    assert.deepEqual(numbers.names.top(1), [
      { name: "n.test", connections: 1, rejected: 0, received: 650, sent: 80_000 },
    ]);
    metrics.stop();
    assert.equal(clock.pending, 0);
  });

  test("of very many connections some are looked at at a time", () => {
    const tally = new Tally();
    const open = Array.from({ length: AT_ONCE + 10 }, () => connection(1, 0));
    const live = new LiveTraffic(() => open, tally);
    live.look(0);
    assert.equal(tally.take().names.get("n.test")?.received, AT_ONCE);
    live.look(100);
    assert.equal(tally.take().names.get("n.test")?.received, 10);
    live.look(200);
    assert.equal(tally.hasNews, false);
  });

  test("how late the loop is", () => {
    const clock = new VirtualClock();
    let late = 0;
    const metrics = new ThreadMetrics({
      clock: { now: () => clock.now() + late, after: (delay, task) => clock.after(delay, task) },
      connections: () => [],
      changed: () => {},
    });
    metrics.start();
    for (let i = 0; i < 10; i++) {
      late = i === 4 ? 30 : late;
      clock.run(clock.now() + LOOK);
    }
    const delta = metrics.take();
    assert.equal(delta?.worstLag, 30);
    assert.equal(
      delta?.lag.counts.reduce((sum, count) => sum + count),
      10,
    );
    metrics.stop();
  });
});
