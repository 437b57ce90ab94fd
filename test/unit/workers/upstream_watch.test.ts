import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { ownBoard } from "../../../src/upstream/allotments.ts";
import { HEALTH } from "../../../src/upstream/board.ts";
import type { MemberPlace } from "../../../src/upstream/upstream.ts";
import { watchUpstreams } from "../../../src/workers/upstream_watch.ts";
import { failed, ProbeWorld, WELL } from "../health/health_fixture.ts";

const YAML = `
listeners: [{ address: "10.0.0.5:443" }]
routes: { a.test: plain, b.test: pool }
upstreams:
  plain: { servers: [10.0.1.1] }
  pool:
    servers: ["10.0.2.1:1", "10.0.2.2:1"]
    healthCheck: { type: tcp, interval: 1s, onDown: cut }
`;

function start(found: readonly (readonly [string, readonly MemberPlace[]])[] = []) {
  const world = new ProbeWorld();
  const loaded = loadConfig(YAML, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded);
  const { config } = loaded;
  const allotments = ownBoard(config.upstreams, world.clock);
  const [cut, freed, lines]: [number[], number[], string[]] = [[], [], []];
  const health = watchUpstreams({
    config,
    clock: world.clock,
    plane: {
      board: allotments,
      endpoints: [],
      cutServer: (slot) => cut.push(slot),
      freed: (upstream) => freed.push(upstream),
    },
    found: new Map(found),
    probe: world.probe,
    resolve: (name, answer) => world.resolve(name, answer),
    warn: (line) => lines.push(line),
  });
  const slot = [...allotments.allotments.values()][1]!.servers[1]!;
  return { world, board: allotments.board, health, cut, freed, lines, slot };
}

test("what checks find stands on the board; a server that comes back begins anew", () => {
  const { world, board, health, cut, freed, lines, slot } = start();
  let isDead = true;
  world.answer = ({ endpoint }) =>
    isDead && endpoint.kind === "tcp" && endpoint.ip === "10.0.2.2" ? failed("ECONNREFUSED") : WELL;
  world.clock.run(10_000);
  assert.deepEqual([board.read(slot - 1, "health"), board.read(slot, "health")], [HEALTH.up, HEALTH.down]);
  assert.deepEqual([cut, lines.length], [[slot], 1]);
  assert.equal(board.read(slot - 1, "backAt"), 0, "it never was down");
  assert.deepEqual(freed, []);
  board.write(slot, "fails", 3);
  isDead = false;
  world.clock.run(20_000);
  assert.equal(board.read(slot, "health"), HEALTH.up);
  assert.equal(board.read(slot, "fails"), 0);
  const back = board.read(slot, "backAt");
  assert.ok(back > board.tick(10_000) && back <= board.tick(13_000), `at tick ${back}`);
  assert.deepEqual(cut, [slot]);
  assert.deepEqual(freed, [1], "whoever waits for the upstream is woken, once");
  health.stop();
  assert.equal(world.running, 0);
});

test("the status of all, also of who is not checked", () => {
  const { world, board, health, slot } = start();
  board.write(slot, "active", 7);
  world.clock.run(2_000);
  const [plain, pool] = health.upstreams;
  assert.deepEqual(plain, {
    name: "plain",
    servers: [
      {
        address: "10.0.1.1",
        health: "unknown",
        since: undefined,
        checkedAt: undefined,
        duration: undefined,
        error: undefined,
        certificates: [],
        connections: 0,
        service: "in",
      },
    ],
  });
  assert.deepEqual(
    pool?.servers.map(({ address, health, connections }) => [address, health, connections]),
    [
      ["10.0.2.1:1", "up", 0],
      ["10.0.2.2:1", "up", 7],
    ],
  );
  health.setMembers("pool", [{ slot: slot + 1, server: 0, target: { kind: "ip", ip: "10.0.2.9", port: 1 } }]);
  assert.deepEqual(
    health.upstreams[1]?.servers.map(({ address, health }) => [address, health]),
    [["10.0.2.9:1", "unknown"]],
  );
});

test("servers that DNS names are checked each by itself, and none twice", () => {
  const slot = 40;
  const at = (ip: string, extra: number): MemberPlace => ({
    slot: slot + extra,
    server: 0,
    target: { kind: "ip", ip, port: 1 },
  });
  const { world, board, health } = start([["pool", [at("10.0.2.3", 0), at("10.0.2.4", 1)]]]);
  const asked = (): string[] => {
    const of = world.requests.map(({ endpoint }) => (endpoint.kind === "tcp" ? endpoint.ip : endpoint.path));
    world.requests.length = 0;
    return of.toSorted();
  };
  world.clock.run(1_000);
  assert.deepEqual(asked(), ["10.0.2.3", "10.0.2.4"], "the configured servers are not at work");
  assert.equal(board.read(slot + 1, "health"), HEALTH.up);
  health.setMembers("pool", [at("10.0.2.4", 1), at("10.0.2.5", 2)]);
  world.clock.run(10_000);
  const later = asked();
  assert.deepEqual([...new Set(later)], ["10.0.2.4", "10.0.2.5"]);
  assert.ok(later.filter((ip) => ip === "10.0.2.4").length <= 11, later.join());
});
