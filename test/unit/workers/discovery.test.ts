import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import type { ServiceRecord } from "../../../src/host.ts";
import { ownBoard } from "../../../src/upstream/allotments.ts";
import { Upstream } from "../../../src/upstream/upstream.ts";
import { Discovery } from "../../../src/workers/discovery.ts";
import { seededRandom, VirtualClock } from "../proxy/simulated_world.ts";

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

async function world(servers: string) {
  const text = `listeners: [{ address: 10.0.0.5:443 }]\nroutes: { default: pool }\nupstreams: { pool: { servers: ${servers} } }\n`;
  const loaded = loadConfig(text, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  const { config } = loaded;
  const clock = new VirtualClock();
  const board = ownBoard(config.upstreams, clock);
  const parts = { board: board.board, random: seededRandom(1), tell: () => {} };
  const upstream = new Upstream(config.upstreams.get("pool")!, board.allotments.get("pool")!, parts);
  const warnings: string[] = [];
  const dns: { addresses: readonly string[] | string; services: readonly ServiceRecord[] | string; ttl: number } = {
    addresses: [],
    services: [],
    ttl: 10_000,
  };
  const answer = <Value>(value: Value | string) =>
    typeof value === "string"
      ? Promise.reject({ code: value, message: value })
      : Promise.resolve({ value, freshUntil: clock.now() + dns.ttl });
  let changes = 0;
  const discovery = new Discovery({
    config,
    names: { lookUp: () => answer(dns.addresses), lookUpService: () => answer(dns.services) },
    clock,
    board,
    changed: (_, places) => {
      changes++;
      upstream.setMembers(places);
    },
    warn: (message) => warnings.push(message),
  });
  const members = () =>
    upstream.members.map(({ target, config: { weight, backup } }) => {
      const where = target.kind === "ip" ? target.ip : target.kind === "host" ? target.name : target.path;
      return `${where} ${weight}${backup ? " backup" : ""}`;
    });
  const at = async (time: number): Promise<void> => {
    clock.run(time);
    await settled();
  };
  return { dns, discovery, members, upstream, warnings, at, board, clock, changes: () => changes };
}

describe("discovery: addresses of a name", () => {
  const SERVERS = "[{ address: 'api.test:443', resolve: true, weight: 2 }, 192.0.2.9:443]";

  test("each is a server; those that stay keep their place, and so their connections", async () => {
    const { dns, discovery, members, upstream, at, changes } = await world(SERVERS);
    assert.deepEqual(members(), ["api.test 2", "192.0.2.9 1"]);
    dns.addresses = ["192.0.2.1", "192.0.2.2"];
    await discovery.start();
    assert.deepEqual(members(), ["192.0.2.9 1", "192.0.2.1 2", "192.0.2.2 2"]);
    const stays = upstream.members[2];
    dns.addresses = ["192.0.2.2", "192.0.2.3"];
    await at(9_999);
    assert.equal(changes(), 1);
    await at(10_000);
    assert.deepEqual(members().toSorted(), ["192.0.2.2 2", "192.0.2.3 2", "192.0.2.9 1"]);
    assert.equal(
      upstream.members.find(({ slot }) => slot === stays?.slot),
      stays,
    );
    await at(20_000);
    assert.equal(changes(), 2);
  });

  test("a name that stops resolving keeps its servers; said once, and once when it is over", async () => {
    const { dns, discovery, members, warnings, at } = await world(SERVERS);
    dns.addresses = ["192.0.2.1"];
    await discovery.start();
    dns.addresses = "ENOTFOUND";
    for (let time = 10_000; time < 60_000; time += 5_000) await at(time);
    assert.deepEqual(members(), ["192.0.2.9 1", "192.0.2.1 2"]);
    dns.addresses = ["192.0.2.1"];
    await at(70_000);
    assert.deepEqual(warnings, [
      "upstream pool: Cannot resolve api.test: ENOTFOUND; its last servers are kept",
      "upstream pool: api.test resolves again",
    ]);
  });

  test("a place is not given away while its last server's connections are open", async () => {
    const { dns, discovery, upstream, board, at } = await world("[{ address: 'api.test:443', resolve: true }]");
    dns.addresses = ["192.0.2.1"];
    await discovery.start();
    const { slot } = upstream.members[0]!;
    board.board.count(slot, 1);
    for (const [time, ip] of [
      [10_000, "192.0.2.2"],
      [20_000, "192.0.2.3"],
      [30_000, "192.0.2.4"],
    ] as const) {
      dns.addresses = [ip];
      await at(time);
      assert.notEqual(upstream.members[0]?.slot, slot);
    }
    assert.equal(board.board.read(slot, "active"), 1);
  });

  test("more addresses than there are places for: as many as fit, and a word", async () => {
    const { dns, discovery, members, warnings, at } = await world("[{ address: 'api.test:443', resolve: true }]");
    dns.addresses = Array.from({ length: 40 }, (_, index) => `192.0.2.${index + 1}`);
    await discovery.start();
    assert.equal(members().length, 32);
    assert.match(warnings[0] ?? "", /api\.test has more servers than can be used; 32 are/);
    await at(10_000);
    await at(20_000);
    assert.equal(warnings.length, 1);
  });

  test("ends with the program", async () => {
    const { dns, discovery, clock } = await world(SERVERS);
    dns.addresses = ["192.0.2.1"];
    await discovery.start();
    discovery.stop();
    assert.equal(clock.pending, 0);
  });
});

describe("discovery: services (RFC 2782)", () => {
  const record = (priority: number, weight: number, target: string): ServiceRecord => ({
    priority,
    weight,
    port: 8443,
    target,
  });

  test("the first priority by weight, the others as backups", async () => {
    const { dns, discovery, members, at, upstream } = await world("[{ service: _https._tcp.example.test }]");
    assert.deepEqual(members(), []);
    dns.services = [record(10, 5, "a.test"), record(20, 1, "b.test"), record(10, 0, "c.test")];
    await discovery.start();
    assert.deepEqual(members(), ["a.test 5", "b.test 1 backup", "c.test 1"]);
    const kept = upstream.members[2];
    dns.services = [record(10, 7, "a.test"), record(10, 0, "c.test"), record(0, 0, "")];
    await at(10_000);
    assert.deepEqual(members(), ["a.test 7", "c.test 1"]);
    assert.equal(upstream.members[1], kept);
  });

  test("large weights keep their proportions, but not their size: DNS does not decide how large a hash ring is", async () => {
    const { dns, discovery, members } = await world("[{ service: _https._tcp.example.test }]");
    dns.services = [record(10, 65_535, "a.test"), record(10, 32_768, "b.test"), record(10, 1, "c.test")];
    await discovery.start();
    assert.deepEqual(members(), ["a.test 100", "b.test 50", "c.test 1"]);
  });

  test("a record with port 0 is none", async () => {
    const { dns, discovery, members } = await world("[{ service: _https._tcp.example.test }]");
    dns.services = [{ ...record(10, 5, "a.test"), port: 0 }, record(20, 5, "b.test")];
    await discovery.start();
    assert.deepEqual(members(), ["b.test 5"]);
  });

  test("a record that comes twice is one server", async () => {
    const { dns, discovery, members } = await world("[{ service: _https._tcp.example.test }]");
    dns.services = [record(10, 5, "a.test"), record(10, 5, "a.test")];
    await discovery.start();
    assert.deepEqual(members(), ["a.test 5"]);
  });
});
