import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import type { ConnectionRecord } from "../../../src/connection_record.ts";
import { ProxyServer } from "../../../src/proxy/proxy_server.ts";
import { REASONS } from "../../../src/reason.ts";
import { HELLO } from "../session/session_fixture.ts";
import { type ClientEvent, type ServerBehaviour, SimulatedAdapter, seededRandom } from "./simulated_world.ts";

const YAML = `
listeners: [{ address: 10.0.0.5:443 }]
routes: { shop.example.test: pool }
upstreams: { pool: { servers: ["192.0.2.1:443", "192.0.2.2:443", "up.example.test:443"] } }
timeouts: { preread: 10s, connect: 15s, idle: 60s, drain: 5s }
`;

/** Few connections for each server, and few that may wait. */
const CROWDED = YAML.replace(
  /\["192.*?\]/,
  `[{ address: "192.0.2.1:443", maxConnections: 2, slowStart: 5s }, { address: "192.0.2.2:443", maxConnections: 2, backup: true }],
    queue: { size: 5, timeout: 8s }, nextServer: { tries: 3, timeout: 10s }`,
);

interface World {
  readonly adapter: SimulatedAdapter;
  readonly proxy: ProxyServer;
  readonly records: ConnectionRecord[];
  readonly warnings: string[];
}

async function world(connectionLimit = 1000, yaml = YAML): Promise<World> {
  const adapter = new SimulatedAdapter();
  const loaded = loadConfig(yaml, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  const records: ConnectionRecord[] = [];
  const warnings: string[] = [];
  const proxy = new ProxyServer(loaded.config, {
    adapter,
    resolve: (_name, answer) => void adapter.clock.after(3, () => answer(["2001:db8::7", "192.0.2.7"])),
    ownAddresses: [],
    connectionLimit,
    finished: (record) => records.push(record),
    warn: (message) => warnings.push(message),
  });
  await proxy.start();
  return { adapter, proxy, records, warnings };
}

const hello: ClientEvent = { kind: "bytes", bytes: HELLO, delay: 1 };

function assertNothingLeft({ adapter, proxy }: World): void {
  assert.equal(proxy.openConnections, 0);
  assert.equal(adapter.pendingConnects, 0);
  for (const upstream of proxy.upstreams.values()) {
    assert.deepEqual(
      upstream.members.map(({ active }) => active),
      upstream.members.map(() => 0),
    );
    assert.equal(upstream.line?.length ?? 0, 0);
  }
  for (const socket of adapter.sockets) assert.equal(socket.closedCalls, 1);
}

describe("proxy", () => {
  test("the connections of one server are cut, those of others stay", async () => {
    const here = await world();
    here.adapter.relayEnd = () => undefined;
    for (let count = 0; count < 4; count++) {
      // Each client's own random bytes: the same ones would be a connection that came back.
      const bytes = HELLO.slice();
      bytes[11] = count;
      here.adapter.client({ kind: "bytes", bytes, delay: 1 });
    }
    here.adapter.clock.run(1_000);
    const { board } = here.proxy.upstreams.get("pool")!;
    const shares = [0, 1, 2].map((slot) => board.read(slot, "active"));
    assert.deepEqual(shares, [2, 1, 1]);
    here.proxy.cutServer(0);
    here.adapter.clock.run(2_000);
    assert.deepEqual(
      here.records.map(({ reason }) => reason),
      ["server_down", "server_down"],
    );
    assert.equal(here.proxy.openConnections, 2);
    assert.deepEqual([board.read(0, "active"), board.read(1, "active")], [0, 1]);
  });

  test("a client is relayed and logged once", async () => {
    const here = await world();
    here.adapter.client(hello);
    here.adapter.clock.run();
    assert.deepEqual(
      here.records.map(({ reason, serverName }) => [reason, serverName]),
      [["ok", "shop.example.test"]],
    );
    assert.deepEqual(here.adapter.relays[0]!.head, HELLO);
    assertNothingLeft(here);
  });

  test("a fault in one connection ends that connection only", async () => {
    const here = await world();
    here.adapter.behaviour = (endpoint) =>
      endpoint.kind === "tcp" && endpoint.ip === "192.0.2.1" ? "throws" : "accepts";
    here.adapter.client(hello);
    here.adapter.client(hello);
    here.adapter.clock.run();
    assert.deepEqual(here.records.map(({ reason }) => reason).sort(), ["internal_error", "ok"]);
    assert.match(here.warnings[0] ?? "", /internal error, one connection ended: Error: a fault in the adapter/);
    assertNothingLeft(here);
  });

  test("a fault while a fault is dealt with stays inside, too", async () => {
    const here = await world();
    const client = here.adapter.client(hello);
    here.adapter.behaviour = () => "throws";
    client.write = () => {
      throw new Error("and the reply cannot be written");
    };
    here.adapter.clock.run();
    assert.deepEqual(
      here.warnings.map(
        (warning) => /Error: (a fault in the adapter|and the reply cannot be written)/.exec(warning)?.[1],
      ),
      ["a fault in the adapter", "and the reply cannot be written"],
    );
    here.adapter.behaviour = () => "accepts";
    here.adapter.client(hello);
    here.adapter.clock.run();
    assert.equal(here.records.at(-1)?.reason, "ok");
  });

  test("a listener of records that throws costs no connection its end", async () => {
    const here = await world();
    here.records.push = () => {
      throw new Error("a fault of the listener");
    };
    here.adapter.client(hello);
    here.adapter.client({ kind: "end", delay: 1 });
    here.adapter.clock.run();
    assert.match(here.warnings[0] ?? "", /Cannot hand over a finished connection: Error: a fault of the listener/);
    assertNothingLeft(here);
  });

  test("when the last connection has gone, no timer is left", async () => {
    const here = await world();
    here.adapter.client({ kind: "end", delay: 1 });
    here.adapter.clock.run(2);
    assert.equal(here.proxy.openConnections, 0);
    assert.equal(here.adapter.clock.pending, 0);
  });

  test("two drains end together", async () => {
    const here = await world();
    here.adapter.client({ kind: "end", delay: 10 });
    let ends = 0;
    for (const timeout of [1_000, 2_000]) here.proxy.drain(timeout, () => ends++);
    here.adapter.clock.run();
    assert.equal(ends, 2);
  });

  test("beyond half the limit a rejected client gets its alert and is gone", async () => {
    const here = await world(4);
    const bad: ClientEvent = { kind: "bytes", bytes: Uint8Array.of(0x15, 3, 3, 0, 2, 2, 40), delay: 1 };
    const rejected = [1, 2, 3].map(() => here.adapter.client(bad));
    here.adapter.clock.run(2);
    assert.ok(rejected.every((client) => client.written.length === 1));
    assert.ok(rejected.every((client) => client.gone));
    here.adapter.clock.run();
    assertNothingLeft(here);
  });

  test("a rejected client gets its alert, and its own data does not turn that into a reset", async () => {
    const here = await world();
    const noise: ClientEvent = { kind: "bytes", bytes: new Uint8Array(1000), delay: 1 };
    const bad: ClientEvent = { kind: "bytes", bytes: Uint8Array.of(0x15, 3, 3, 0, 2, 2, 40), delay: 1 };
    const polite = here.adapter.client(bad, noise, { kind: "end", delay: 5 });
    const stubborn = here.adapter.client(bad, noise);
    here.adapter.clock.run(500);
    assert.deepEqual([...polite.written[0]!], [0x15, 3, 1, 0, 2, 2, 10]);
    assert.ok(polite.ended && polite.gone);
    assert.ok(stubborn.ended && !stubborn.gone);
    here.adapter.clock.run();
    assertNothingLeft(here);
  });

  test("at the limit: accepts pause, one more waits; then they resume, and it is served", async () => {
    const here = await world(20);
    for (let index = 0; index < 21; index++) here.adapter.client();
    assert.ok(here.adapter.paused);
    assert.equal(here.proxy.openConnections, 20);
    here.adapter.clock.run();
    assert.ok(!here.adapter.paused);
    assert.equal(here.records.filter(({ reason }) => reason === "too_many_connections").length, 0);
    // Full again by the one that waited.
    assert.equal(here.warnings.length, 2);
    assert.equal(here.records.length, 21);
    assertNothingLeft(here);
  });

  test("at the limit, where accepts do not pause: one more is turned away; a drain sends away who waits", async () => {
    const here = await world(2);
    here.adapter.capabilities.pauseAccepts = false;
    const [, , late] = [1, 2, 3].map(() => here.adapter.client());
    assert.deepEqual([late!.gone, here.records[0]!.reason], [true, "too_many_connections"]);
    here.adapter.capabilities.pauseAccepts = true;
    const waiting = here.adapter.client();
    here.proxy.drain(1_000, () => {});
    assert.ok(waiting.gone);
    here.adapter.clock.run();
    assert.equal(here.records.length, 3);
    assertNothingLeft(here);
  });

  test("connects that the runtime cannot give up count against the limit", async () => {
    const here = await world(20);
    here.adapter.abandonedConnects = 40;
    here.adapter.client(hello);
    assert.deepEqual(
      here.records.map(({ reason }) => reason),
      ["too_many_connections"],
    );
    here.adapter.clock.run();
    here.adapter.abandonedConnects = 0;
    here.adapter.client(hello);
    here.adapter.clock.run();
    assert.equal(here.records[1]!.reason, "ok");
  });

  test("drain waits for connections, then cuts what is left", async () => {
    const here = await world();
    here.adapter.relayEnd = () => undefined;
    here.adapter.client(hello);
    here.adapter.clock.run(100);
    let drained = false;
    here.proxy.drain(5_000, () => {
      drained = true;
    });
    assert.ok(!here.adapter.listening);
    here.adapter.clock.run(5_000);
    assert.ok(!drained);
    here.adapter.clock.run();
    assert.ok(drained);
    assert.equal(here.records[0]!.reason, "drain_timeout");
    assertNothingLeft(here);
  });

  test("a server that closes before its first byte is replaced, and blamed once another has answered", async () => {
    const here = await world();
    const first: ClientEvent[][] = [[{ kind: "end", delay: 1 }], [{ kind: "reset", delay: 1 }]];
    here.adapter.serverEvents = () => first.shift() ?? [{ kind: "bytes", bytes: Uint8Array.of(22, 3), delay: 1 }];
    const client = here.adapter.client(hello);
    here.adapter.clock.run();
    const [record] = here.records;
    assert.deepEqual(
      record!.attempts.map(({ address, outcome }) => `${address} ${outcome}`),
      ["192.0.2.1:443 closed", "192.0.2.2:443 ECONNRESET", "[2001:db8::7]:443 "],
    );
    assert.deepEqual([record!.reason, record!.bytesSent], ["ok", 2]);
    assert.deepEqual(client.written, [Uint8Array.of(22, 3)]);
    assert.deepEqual(here.adapter.relays[0]!.head, HELLO);
    assert.equal(here.warnings.length, 2);
    assertNothingLeft(here);
  });

  test("when all servers close, it is the client's message: nobody is blamed", async () => {
    const here = await world();
    here.adapter.serverEvents = () => [{ kind: "end", delay: 1 }];
    here.adapter.client(hello);
    here.adapter.clock.run();
    assert.deepEqual([here.records[0]!.reason, here.records[0]!.attempts.length], ["server_closed", 3]);
    assert.deepEqual(here.warnings, []);
    assertNothingLeft(here);
  });

  test("what the client says behind its hello ends the offer, and goes to that server alone", async () => {
    const here = await world();
    here.adapter.serverEvents = () => [];
    here.adapter.client(hello, { kind: "bytes", bytes: Uint8Array.of(1, 2, 3), delay: 5 });
    here.adapter.clock.run();
    assert.deepEqual(here.adapter.relays[0]!.head, Uint8Array.from([...HELLO, 1, 2, 3]));
    assert.equal(here.records[0]!.attempts.length, 1);
    assertNothingLeft(here);
  });

  test("a client that breaks while the server thinks, and one that leaves its place in the line", async () => {
    const here = await world(1000, CROWDED);
    here.adapter.serverEvents = () => [];
    here.adapter.relayEnd = () => undefined;
    for (let index = 0; index < 4; index++) here.adapter.client(hello, { kind: "reset", delay: 500 });
    here.adapter.client(hello, { kind: "reset", delay: 200 });
    here.adapter.clock.run();
    assert.deepEqual(here.records.map(({ reason }) => reason).sort(), [
      "client_left",
      ...Array<string>(4).fill("client_reset"),
    ]);
    assertNothingLeft(here);
  });

  test("more than there is room for: they wait in order, one is turned away, one waits too long", async () => {
    const here = await world(1000, CROWDED);
    let ends = 0;
    here.adapter.relayEnd = () => ({ after: 1_000 + 1_000 * ends++, reason: "ended" });
    for (let index = 0; index < 10; index++) here.adapter.clock.after(10 * index, () => here.adapter.client(hello));
    here.adapter.clock.run(500);
    assert.deepEqual(
      here.records.map(({ id, reason }) => [id, reason]),
      [[10, "upstream_busy"]],
    );
    assert.equal(here.records[0]!.detail, "192.0.2.1:443 has 2 of 2 connections, 192.0.2.2:443 has 2 of 2 connections");
    here.adapter.relayEnd = () => ({ after: 50_000, reason: "ended" });
    here.adapter.clock.run();
    assert.deepEqual(
      here.records.map(({ id, reason }) => `${id} ${reason}`).toSorted(),
      [
        "10 upstream_busy",
        "1 ok",
        "2 ok",
        "3 ok",
        "4 ok",
        "5 ok",
        "6 ok",
        "7 ok",
        "8 ok",
        "9 queue_timeout",
      ].toSorted(),
    );
    assertNothingLeft(here);
  });

  test("whatever happens: one record each, every socket closed once, no attempt left (200 seeds)", async () => {
    for (let seed = 1; seed <= 200; seed++) await simulate(seed);
  });

  test("the same through a proxy with moods, by a name and by an address (200 seeds)", async () => {
    const reasons = new Set<string>();
    for (let seed = 1; seed <= 200; seed++) {
      for (const reason of await simulate(seed, seed % 2 === 0 ? "10.0.0.9:3128" : "p.test:3128")) reasons.add(reason);
    }
    for (const reason of ["ok", "proxy_refused", "connect_timeout", "connect_failed"])
      assert.ok(reasons.has(reason), reason);
  });
});

/** A day in the life: 30 clients and three servers, all with moods; @param via so has the proxy on the way. */
async function simulate(seed: number, via?: string): Promise<string[]> {
  const random = seededRandom(seed);
  const pick = <Value>(...values: Value[]): Value => values[Math.floor(random() * values.length)]!;
  const yaml = via === undefined ? pick(YAML, CROWDED) : YAML.replace("servers:", `via: "http://${via}", servers:`);
  const here = await world(25, yaml);
  const ended = (): readonly ClientEvent[] =>
    pick<readonly ClientEvent[]>(
      [],
      [{ kind: "end", delay: random() * 2_000 }],
      [{ kind: "reset", delay: random() * 2_000 }],
      [{ kind: "bytes", bytes: Uint8Array.of(22), delay: random() * 20_000 }],
    );
  here.adapter.serverEvents = () => (via === undefined ? ended() : [...proxyScript(random), ...ended()]);
  here.adapter.behaviour = () => pick<ServerBehaviour>("accepts", "accepts", "refuses", "silent", "throws");
  here.adapter.relayEnd = () =>
    pick(undefined, { after: random() * 90_000, reason: pick("ended", "client_reset", "server_reset") });
  for (let client = 0; client < 30; client++) {
    here.adapter.clock.after(random() * 30_000, () => here.adapter.client(...clientScript(random)));
  }
  here.adapter.clock.after(random() * 60_000, () => here.proxy.drain(5_000, () => {}));
  here.adapter.clock.run();
  const message = `seed ${seed}`;
  assert.equal(here.records.length, 30, message);
  assert.equal(new Set(here.records.map(({ id }) => id)).size, 30, message);
  for (const { reason, duration } of here.records) assert.ok(reason in REASONS && duration >= 0, message);
  for (const { head } of here.adapter.relays) assert.deepEqual(behindConnect(head, via), HELLO, message);
  assertNothingLeft(here);
  return here.records.map(({ reason }) => reason);
}

/** What a server gets, without what the proxy on the way to it does. */
function behindConnect(head: Uint8Array, via: string | undefined): Uint8Array {
  const text = Buffer.from(head).toString("latin1");
  return via === undefined ? head : head.subarray(text.indexOf("\r\n\r\n") + 4);
}

/** What a proxy says to a CONNECT: mostly that all is well, in pieces; or no, or nothing, or nonsense, or it breaks. */
function proxyScript(random: () => number): ClientEvent[] {
  const texts = [
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\nearly",
    "HTTP/1.1 502 x\r\n\r\n",
    "SSH-2.0-x\r\n",
    "",
  ];
  const bytes = Buffer.from(texts[Math.floor(random() * texts.length)]!);
  const events: ClientEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + Math.floor(random() * bytes.length);
    events.push({ kind: "bytes", bytes: Uint8Array.from(bytes.subarray(at, at + size)), delay: random() * 6_000 });
    at += size;
    if (random() < 0.1) events.push({ kind: random() < 0.5 ? "end" : "reset", delay: random() * 1_000 });
  }
  return events;
}

function clientScript(random: () => number): ClientEvent[] {
  const events: ClientEvent[] = [];
  const good = random() < 0.7;
  for (let at = 0; at < HELLO.length; ) {
    const size = 1 + Math.floor(random() * HELLO.length);
    const bytes = HELLO.slice(at, at + size);
    if (!good) bytes[0] = (bytes[0]! + 1) & 0xff;
    events.push({ kind: "bytes", bytes, delay: random() * 4_000 });
    at += size;
    if (random() < 0.1) events.push({ kind: random() < 0.5 ? "end" : "reset", delay: random() * 1_000 });
  }
  return events;
}
