import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HealthChecker } from "../../../src/health/health_checker.ts";
import { seededRandom } from "../proxy/simulated_world.ts";
import { failed, ProbeWorld, planOf, WELL } from "./health_fixture.ts";

function start(world: ProbeWorld, plans = planOf({ type: "tcp", interval: "1s" }), random = () => 0.5) {
  const changes: string[] = [];
  const lines: string[] = [];
  const checker = new HealthChecker({
    clock: world.clock,
    probe: world.probe,
    resolve: (name, answer) => world.resolve(name, answer),
    random,
    unwatched: (slot) => changes.push(`${slot} left`),
    changed: ({ slot }, isUp) => changes.push(`${slot} ${isUp ? "up" : "down"}`),
    warn: (line) => lines.push(line),
  });
  checker.setServers(plans);
  return { checker, changes, lines };
}

describe("when", () => {
  test("each interval after the end of the last one, give or take a tenth", () => {
    const world = new ProbeWorld();
    const times: number[] = [];
    world.answer = () => {
      times.push(world.clock.now());
      return WELL;
    };
    start(world, undefined, seededRandom(7));
    world.clock.run(60_000);
    const gaps = times.slice(1).map((time, index) => time - times[index]! - world.delay);
    assert.ok(times[0]! <= 1_000 + world.delay && gaps.length > 50);
    assert.ok(gaps.every((gap) => gap >= 900 && gap <= 1_100));
    assert.ok(new Set(gaps.map(Math.round)).size > 10, "no jitter");
  });

  test("a slow server is not asked while it is being asked", () => {
    const world = new ProbeWorld();
    world.delay = 1_500;
    const { checker } = start(world, planOf({ type: "tcp", interval: "2s" }));
    world.clock.run(30_000);
    assert.equal(world.most, 1);
    checker.stop();
    assert.deepEqual([world.running, checker.statusOf(0)], [0, undefined]);
  });

  test("of many servers only so many at once, and every one in turn", () => {
    const world = new ProbeWorld();
    world.delay = 1_000;
    const servers = Array.from({ length: 200 }, (_, index) => `10.0.${index >> 8}.${index & 255}:443`);
    start(world, planOf({ type: "tcp", interval: "2s" }, servers));
    world.clock.run(5_500);
    assert.equal(world.most, 64);
    assert.equal(new Set(world.requests.map(({ endpoint }) => JSON.stringify(endpoint))).size, 200);
  });

  test("servers that stay keep their state; those that go are asked no more", () => {
    const world = new ProbeWorld();
    const plans = planOf({ type: "tcp", interval: "1s" }, ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"]);
    const { checker, changes } = start(world, plans);
    world.clock.run(5_000);
    world.requests.length = 0;
    const moved = { ...plans[2]!, address: "10.0.0.9:1" };
    checker.setServers([plans[0]!, moved]);
    assert.deepEqual(
      [0, 1, 2].map((slot) => checker.statusOf(slot)?.health),
      ["up", undefined, "unknown"],
    );
    world.clock.run(10_000);
    assert.ok(world.requests.every(({ endpoint }) => endpoint.kind === "tcp" && endpoint.ip !== "10.0.0.2"));
    assert.deepEqual(changes, ["0 up", "1 up", "2 up", "1 left", "2 up"]);
  });

  test("stopped, nothing comes any more", () => {
    const world = new ProbeWorld();
    const { checker, changes } = start(world);
    world.clock.run(1);
    checker.stop();
    world.clock.run();
    assert.deepEqual([changes, world.clock.pending], [[], 0]);
  });
});

describe("what", () => {
  test("a server that dies and comes back", () => {
    const world = new ProbeWorld();
    const { changes, lines, checker } = start(
      world,
      planOf({ type: "tcp", interval: "1s" }, ["10.0.0.1:1", "10.0.0.2:1"]),
    );
    let isDead = false;
    world.answer = ({ endpoint }) =>
      isDead && endpoint.kind === "tcp" && endpoint.ip === "10.0.0.2" ? failed("ECONNREFUSED") : WELL;
    world.clock.run(3_000);
    isDead = true;
    world.clock.run(9_000);
    assert.deepEqual([checker.statusOf(0)?.health, checker.statusOf(1)?.health], ["up", "down"]);
    isDead = false;
    world.clock.run(20_000);
    assert.deepEqual(changes, ["0 up", "1 up", "1 down", "1 up"]);
    assert.deepEqual(lines, [
      "upstream pool: 10.0.0.2:1 is down after 3 failed checks: connection refused",
      "upstream pool: 10.0.0.2:1 is up again after 2 good checks; it was down for 5 s",
    ]);
  });

  test("all down: told, so that nobody wonders why they are tried all the same", () => {
    const world = new ProbeWorld();
    world.answer = () => failed("ECONNREFUSED");
    const { lines } = start(world, planOf({ type: "tcp", interval: "1s" }, ["10.0.0.1:1", "10.0.0.2:1"]));
    world.clock.run(20_000);
    assert.equal(lines.length, 3);
    assert.equal(lines[2], "upstream pool: all 2 servers are down; they are tried all the same");
  });
});
