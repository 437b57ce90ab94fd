import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { NameCache } from "../../../src/names/name_cache.ts";
import { ownBoard } from "../../../src/upstream/allotments.ts";
import { Surroundings } from "../../../src/workers/surroundings.ts";
import { ProbeWorld } from "../health/health_fixture.ts";

const YAML = `
listeners: [{ address: "10.0.0.5:443" }]
routes: { a.test: pool, b.test: fixed }
upstreams:
  pool: { servers: [{ address: "up.test:1", resolve: true }], healthCheck: { type: tcp, interval: 1s } }
  fixed: { servers: ["10.0.9.1:1"], healthCheck: tcp }
`;

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("servers that DNS names are told to those who carry connections, and to the checks", async () => {
  const world = new ProbeWorld();
  const loaded = loadConfig(YAML, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded);
  const { config } = loaded;
  let addresses = ["192.0.2.1", "192.0.2.2"];
  const names = new NameCache({
    resolver: {
      concurrency: 1,
      resolve: (_, answer) => answer({ addresses, ttl: 10 }),
      resolveService: (_, answer) => answer({ code: "ENOTFOUND", message: "" }),
      close() {},
    },
    clock: world.clock,
    times: config.resolver,
    warn: () => {},
  });
  const told: string[] = [];
  const around = new Surroundings({
    config,
    names,
    clock: world.clock,
    host: { interfaceAddresses: () => [], probe: world.probe },
    plane: {
      board: ownBoard(config.upstreams, world.clock),
      endpoints: [],
      setPlaces: ([upstream, places]) => told.push(`${upstream} ${places.length}`),
      setOwnAddresses() {},
      cutServer() {},
      freed() {},
    },
    warn: () => {},
  });
  const servers = () =>
    around.upstreams.map(({ servers }) => servers.map(({ address, health }) => `${address} ${health}`));
  assert.deepEqual(servers(), []);
  await around.start();
  around.startChecks();
  world.clock.run(1_500);
  assert.deepEqual(servers(), [["192.0.2.1:1 up", "192.0.2.2:1 up"], ["10.0.9.1:1 up"]]);
  addresses = ["192.0.2.2", "192.0.2.3"];
  for (let time = 2_000; time <= 30_000; time += 1_000) {
    world.clock.run(time);
    await turn();
  }
  assert.deepEqual(servers()[0], ["192.0.2.2:1 up", "192.0.2.3:1 up"]);
  assert.deepEqual(told, ["pool 2", "pool 2"]);
  around.stop();
  assert.equal(world.running, 0);
});
