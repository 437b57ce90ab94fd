import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { NameCache } from "../../../src/names/name_cache.ts";
import { ownBoard } from "../../../src/upstream/allotments.ts";
import { HEALTH } from "../../../src/upstream/board.ts";
import type { UpstreamPlaces } from "../../../src/workers/protocol.ts";
import { Surroundings } from "../../../src/workers/surroundings.ts";
import { failed, ProbeWorld, WELL } from "../health/health_fixture.ts";

const YAML = `
listeners: [{ address: "10.0.0.5:443" }]
routes: { a.test: pool, b.test: fixed }
upstreams:
  pool: { servers: [{ address: "up.test:1", resolve: true }], healthCheck: { type: tcp, interval: 1s } }
  fixed: { servers: ["10.0.9.1:1"], healthCheck: tcp }
`;

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Names resolve to `dns.addresses`; servers in `dead` fail their checks. */
function world(yaml: string) {
  const probes = new ProbeWorld();
  const configOf = (text: string) => {
    const loaded = loadConfig(text, { path: "test", toAscii: (name) => name });
    assert.ok("config" in loaded, JSON.stringify(loaded));
    return loaded.config;
  };
  const config = configOf(yaml);
  const dns = { addresses: ["192.0.2.1", "192.0.2.2"], asked: 0 };
  const dead = new Set<string>();
  probes.answer = ({ endpoint }) => (endpoint.kind === "tcp" && dead.has(endpoint.ip) ? failed("ECONNREFUSED") : WELL);
  const names = new NameCache({
    resolver: {
      concurrency: 1,
      resolve: (_, answer) => {
        dns.asked++;
        answer({ addresses: dns.addresses, ttl: 10 });
      },
      resolveService: (_, answer) => answer({ code: "ENOTFOUND", message: "" }),
      close() {},
    },
    clock: probes.clock,
    times: config.resolver,
    warn: () => {},
  });
  const told: string[] = [];
  const board = ownBoard(config.upstreams, probes.clock);
  const around = new Surroundings({
    config,
    names,
    clock: probes.clock,
    host: { interfaceAddresses: () => [], probe: probes.probe },
    plane: {
      board,
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
  const run = async (until: number): Promise<void> => {
    for (let time = probes.clock.now(); time <= until; time += 500) {
      probes.clock.run(time);
      await turn();
    }
  };
  return { probes, configOf, dns, dead, told, board, around, servers, run };
}

test("servers that DNS names are told to those who carry connections, and to the checks", async () => {
  const { probes, dns, told, around, servers, run } = world(YAML);
  assert.deepEqual(servers(), []);
  await around.start();
  around.startChecks();
  probes.clock.run(1_500);
  assert.deepEqual(servers(), [["192.0.2.1:1 up", "192.0.2.2:1 up"], ["10.0.9.1:1 up"]]);
  dns.addresses = ["192.0.2.2", "192.0.2.3"];
  await run(30_000);
  assert.deepEqual(servers()[0], ["192.0.2.2:1 up", "192.0.2.3:1 up"]);
  assert.deepEqual(told, ["pool 2", "pool 2"]);
  around.stop();
  assert.equal(probes.running, 0);
});

describe("another configuration", () => {
  const more = (yaml: string) =>
    yaml.replace("upstreams:", "upstreams:\n  other: { servers: [10.0.9.7:1], healthCheck: tcp }");

  test("what it names as well keeps its health and its addresses; what is new is checked", async () => {
    const { configOf, dns, dead, told, board, around, servers, run } = world(YAML);
    dead.add("10.0.9.1").add("192.0.2.2");
    await around.start();
    around.startChecks();
    await run(20_000);
    const { asked } = dns;
    const slot = board.allotments.get("fixed")!.servers[0]!;
    assert.equal(board.board.read(slot, "health"), HEALTH.down);
    const next = configOf(more(YAML));
    board.allot(next.upstreams.values());
    const places = await around.prepare(next);
    assert.deepEqual(
      places.map(([upstream, found]) => [upstream, found.length]),
      [["pool", 2]],
    );
    told.length = 0;
    around.use(next);
    assert.deepEqual(told, ["pool 2"]);
    assert.deepEqual(servers(), [["10.0.9.7:1 unknown"], ["192.0.2.1:1 up", "192.0.2.2:1 down"], ["10.0.9.1:1 down"]]);
    assert.equal(dns.asked, asked, "nobody asked again");
    await run(23_000);
    assert.deepEqual(servers()[0], ["10.0.9.7:1 up"]);
    around.stop();
  });

  test("a server that is checked no more counts as well; one that is checked differently keeps what is known", async () => {
    const { configOf, dead, board, around, run } = world(YAML);
    dead.add("10.0.9.1").add("192.0.2.1").add("192.0.2.2");
    await around.start();
    around.startChecks();
    await run(20_000);
    const next = configOf(YAML.replace(", healthCheck: tcp", "").replace("interval: 1s", "interval: 9s"));
    board.allot(next.upstreams.values());
    const [[, found]] = (await around.prepare(next)) as [UpstreamPlaces];
    around.use(next);
    assert.equal(board.board.read(board.allotments.get("fixed")!.servers[0]!, "health"), HEALTH.unknown);
    assert.deepEqual(
      found.map(({ slot }) => board.board.read(slot, "health")),
      [HEALTH.down, HEALTH.down],
    );
    around.stop();
  });

  test("one that does not come into force leaves everything as it was", async () => {
    const { configOf, told, board, around, servers, run } = world(YAML);
    await around.start();
    around.startChecks();
    await run(2_000);
    const next = configOf(more(YAML).replace("up.test:1", "else.test:1"));
    board.allot(next.upstreams.values());
    told.length = 0;
    await around.prepare(next);
    assert.deepEqual(told, []);
    board.undo();
    around.undo(configOf(YAML));
    await run(4_000);
    assert.deepEqual(servers(), [["192.0.2.1:1 up", "192.0.2.2:1 up"], ["10.0.9.1:1 up"]]);
    around.stop();
  });
});
