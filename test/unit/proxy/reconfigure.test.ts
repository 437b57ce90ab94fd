import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import type { ConnectionRecord } from "../../../src/connection_record.ts";
import { type Changed, ProxyServer } from "../../../src/proxy/proxy_server.ts";
import { ownBoard } from "../../../src/upstream/allotments.ts";
import { HELLO } from "../session/session_fixture.ts";
import { SimulatedAdapter } from "./simulated_world.ts";

const A = "10.0.0.5:443";
const B = "10.0.0.5:8443";

function configOf(yaml: string) {
  const loaded = loadConfig(yaml, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  return loaded.config;
}

/** One listener (or those given), `shop.example.test` to `route`, an upstream `pool` of these servers. */
function yaml(route: string, servers = "[192.0.2.1:443, 192.0.2.2:443]", listeners = `[{ address: ${A} }]`, more = "") {
  return `listeners: ${listeners}\nroutes: { shop.example.test: ${route} }\nupstreams: { pool: { servers: ${servers} } }\n${more}`;
}

async function world(text: string) {
  const adapter = new SimulatedAdapter();
  adapter.relayEnd = () => undefined;
  const config = configOf(text);
  const board = ownBoard(config.upstreams, adapter.clock);
  const records: ConnectionRecord[] = [];
  const proxy = new ProxyServer(config, {
    adapter,
    board,
    resolve: () => {},
    ownAddresses: [],
    connectionLimit: 1000,
    finished: (record) => records.push(record),
  });
  await proxy.start();
  let clients = 0;
  /** Connects, says hello a millisecond later, and is relayed 20 ms later. */
  const connect = (address?: string) => {
    const bytes = HELLO.slice();
    // Each client's own random bytes: the same ones would be a connection that came back.
    bytes[11] = ++clients;
    const socket = adapter.clientAt(address, { kind: "bytes", bytes, delay: 1 });
    adapter.clock.run(adapter.clock.now() + 20);
    return socket;
  };
  const change = async (next: string, changed: Partial<Changed> = {}) => {
    const config = configOf(next);
    const allotments = board.allot(config.upstreams.values());
    const parts = { connectionLimit: 1000, allotments, places: new Map(), ...changed };
    proxy.reconfigure(await proxy.prepare(config, parts));
  };
  const servers = () => adapter.relays.map(({ server }) => (server.kind === "tcp" ? server.ip : ""));
  const reasons = () => records.map(({ reason }) => reason);
  const wait = (milliseconds: number) => adapter.clock.run(adapter.clock.now() + milliseconds);
  return { adapter, proxy, board, connect, change, servers, reasons, wait };
}

test("where the drain begins while listeners are opened for another configuration, they close again", async () => {
  const here = await world(yaml("pool"));
  const preparing = here.change(yaml("pool", undefined, `[{ address: ${A} }, { address: ${B} }]`));
  here.proxy.drain(1_000, () => {});
  await preparing;
  assert.deepEqual([...here.adapter.listeners.keys()], []);
});

describe("another configuration", () => {
  test("new connections take the new route; those that are open stay, a client that has not spoken yet gets the new one", async () => {
    const here = await world(yaml("192.0.2.9:443"));
    here.connect();
    const waiting = here.adapter.clientAt(A, { kind: "bytes", bytes: HELLO.slice(), delay: 50 });
    await here.change(yaml("192.0.2.8:443"));
    here.connect();
    here.wait(100);
    assert.deepEqual(here.servers(), ["192.0.2.9", "192.0.2.8", "192.0.2.8"]);
    assert.ok(!waiting.gone);
    assert.equal(here.proxy.openConnections, 3);
    assert.deepEqual(here.reasons(), []);
  });

  test("listeners come and go; one that stays is not opened anew", async () => {
    const here = await world(yaml("192.0.2.9:443"));
    const before = here.adapter.listeners.get(A);
    await here.change(yaml("192.0.2.9:443", undefined, `[{ address: ${B} }, { address: ${A} }]`));
    assert.equal(here.adapter.listeners.get(A), before);
    here.connect(B);
    await here.change(yaml("192.0.2.9:443", undefined, `[{ address: ${A} }]`));
    assert.deepEqual([...here.adapter.listeners.keys()], [A]);
    assert.equal(here.proxy.openConnections, 1);
    here.connect(A);
    assert.equal(here.proxy.openConnections, 2);
  });

  test("where one listener cannot be opened, none is, and the old configuration stays", async () => {
    const here = await world(yaml("192.0.2.9:443"));
    here.adapter.taken = "10.0.0.6:443";
    const next = yaml("192.0.2.8:443", undefined, `[{ address: ${B} }, { address: "10.0.0.6:443" }]`);
    await assert.rejects(here.change(next), /10\.0\.0\.6:443/);
    assert.deepEqual([...here.adapter.listeners.keys()], [A]);
    here.connect();
    assert.deepEqual(here.servers(), ["192.0.2.9"]);
  });

  test("who connects to a new listener before it serves waits for it", async () => {
    const here = await world(yaml("192.0.2.9:443"));
    const config = configOf(yaml("192.0.2.8:443", undefined, `[{ address: ${A} }, { address: ${B} }]`));
    const allotments = here.board.allot(config.upstreams.values());
    const prepared = await here.proxy.prepare(config, { connectionLimit: 9, allotments, places: new Map() });
    here.connect(B);
    assert.deepEqual(here.servers(), []);
    here.proxy.reconfigure(prepared);
    here.wait(50);
    assert.deepEqual(here.servers(), ["192.0.2.8"]);
  });

  test("servers that stay keep their connections and failures; maxConnections counts those of before", async () => {
    const limited = (more: string) =>
      yaml("pool", `[{ address: "192.0.2.1:443", maxConnections: 2${more} }, 192.0.2.2:443]`);
    const here = await world(limited(""));
    for (let count = 0; count < 4; count++) here.connect();
    const active = () => here.proxy.upstreams.get("pool")!.members.map((member) => member.active);
    assert.deepEqual(active(), [2, 2]);
    const upstream = here.proxy.upstreams.get("pool");
    here.board.board.write(upstream!.members[0]!.slot, "fails", 1);
    await here.change(limited(", weight: 5"));
    assert.equal(here.proxy.upstreams.get("pool"), upstream);
    assert.deepEqual(active(), [2, 2]);
    assert.equal(here.board.board.read(upstream!.members[0]!.slot, "fails"), 1);
    for (let count = 0; count < 3; count++) here.connect();
    assert.deepEqual(active(), [2, 5]);
    await here.change(yaml("pool", "[192.0.2.3:443, 192.0.2.2:443]"));
    assert.deepEqual(active(), [0, 5]);
    here.proxy.cut();
    here.wait(50);
    assert.deepEqual(active(), [0, 0]);
  });

  test("whoever waits for a server gets one that a new configuration brings", async () => {
    const full = (servers: string) => yaml("pool", `${servers}, queue: { size: 5, timeout: 60s }`);
    const here = await world(full(`[{ address: "192.0.2.1:443", maxConnections: 1 }]`));
    here.connect();
    here.connect();
    assert.deepEqual(here.servers(), ["192.0.2.1"]);
    await here.change(full(`[{ address: "192.0.2.1:443", maxConnections: 1 }, 192.0.2.2:443]`));
    here.wait(20);
    assert.deepEqual(here.servers(), ["192.0.2.1", "192.0.2.2"]);
  });

  test("limits and timeouts are the new ones, for whoever comes then", async () => {
    const here = await world(yaml("192.0.2.9:443", undefined, undefined, "timeouts: { idle: 1h }"));
    here.connect();
    here.connect();
    await here.change(yaml("192.0.2.9:443", undefined, undefined, "timeouts: { idle: 1s }"), { connectionLimit: 3 });
    here.connect();
    assert.ok(here.adapter.paused, "the limit is reached");
    here.wait(10_000);
    assert.deepEqual(here.reasons(), ["idle_timeout"]);
    assert.equal(here.proxy.openConnections, 2);
  });
});

describe("onChange", () => {
  const policies = { keep: [0, 0], "drain 30s": [0, 1], cut: [1, 1] } as const;
  const changes = {
    "the route goes": (policy: string) =>
      yaml("reject").replace("shop.example.test", `other.test: { to: pool, onChange: ${policy} }, x.test`),
    "the route leads elsewhere": (policy: string) => yaml(`{ to: "192.0.2.7:443", onChange: ${policy} }`),
    "the server goes": (policy: string) => yaml(`{ to: pool, onChange: ${policy} }`, "[192.0.2.2:443]"),
    "the server is down": (policy: string) =>
      yaml(`{ to: pool, onChange: ${policy} }`, `[{ address: "192.0.2.1:443", down: true }, 192.0.2.2:443]`),
    "the listener goes": (policy: string) =>
      yaml(`{ to: pool, onChange: ${policy} }`, undefined, `[{ address: ${B} }]`),
  };
  for (const [policy, [atOnce, later]] of Object.entries(policies)) {
    for (const [what, next] of Object.entries(changes)) {
      test(`${policy}: ${what}`, async () => {
        const here = await world(yaml(`{ to: pool, onChange: ${policy} }`));
        here.connect();
        await here.change(next(policy));
        here.wait(29_000);
        assert.deepEqual(here.reasons(), Array(atOnce).fill("route_changed"));
        here.wait(2_000);
        assert.deepEqual(here.reasons(), Array(later).fill("route_changed"));
      });
    }

    test(`${policy}: what leads to the same server as before is no change`, async () => {
      const here = await world(yaml(`{ to: pool, onChange: ${policy} }`));
      here.connect();
      await here.change(
        yaml("{ to: pool, onChange: cut }", "[192.0.2.3:443, 192.0.2.1:443]")
          .replace("shop.", "'*.")
          .replace("test:", "test':"),
      );
      here.wait(60_000);
      assert.deepEqual(here.reasons(), []);
    });
  }

  test("who drains stays after all when the way is given back", async () => {
    const here = await world(yaml("{ to: pool, onChange: drain 30s }"));
    here.connect();
    await here.change(yaml("reject"));
    here.wait(10_000);
    await here.change(yaml("{ to: pool, onChange: drain 30s }"));
    here.wait(60_000);
    assert.deepEqual(here.reasons(), []);
  });

  test("the policy of a route that is changed is the new one", async () => {
    const here = await world(yaml("{ to: pool, onChange: keep }"));
    here.connect();
    await here.change(yaml("{ to: '192.0.2.7:443', onChange: cut }"));
    here.wait(10);
    assert.deepEqual(here.reasons(), ["route_changed"]);
  });

  test("of default, and of a connection that is not connected yet", async () => {
    const here = await world(yaml("pool").replace("shop.example.test: pool", "default: { to: pool, onChange: cut }"));
    here.adapter.behaviour = () => "silent";
    here.connect();
    await here.change(yaml("pool").replace("shop.example.test: pool", "default: { to: reject, onChange: cut }"));
    here.wait(10);
    assert.deepEqual(here.reasons(), ["route_changed"]);
    assert.equal(here.adapter.pendingConnects, 0);
  });
});
