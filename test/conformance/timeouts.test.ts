/** `timeouts.connect` bounds all tries together; `timeouts.idle` ends what does not move, and only that. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { LogRecord } from "./harness/access_log.ts";
import { forEachCombination } from "./harness/combinations.ts";
import { join, sendFirst } from "./harness/connection.ts";
import { alertIn, helloFor } from "./harness/hello.ts";
import { type Blackhole, type Origin, startBlackhole, startOrigin } from "./harness/origin.ts";
import type { Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { pause, suiteScope } from "./harness/waiting.ts";

const HOST = "idle.example.test";
const CONNECT = 800;
const IDLE = 450;
/** Milliseconds that a deadline may be late on a busy machine. */
const LATE = 700;

forEachCombination((combination) => {
  const scope = suiteScope();
  let origin: Origin;
  let holes: Blackhole[];
  let proxy: RunningProxy;

  before(async () => {
    origin = await startOrigin(scope);
    holes = await Promise.all([1, 2, 3].map(() => startBlackhole(scope)));
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0" }],
        routes: { [HOST]: origin.address, "one.example.test": holes[0]?.address, "three.example.test": "stuck" },
        upstreams: { stuck: { servers: holes.map((hole) => hole.address) } },
        timeouts: { connect: `${CONNECT}ms`, idle: `${IDLE}ms` },
      },
    });
  });

  function assertWithin(milliseconds: number, from: number): void {
    assert.ok(milliseconds > from - 50 && milliseconds < from + LATE, `${milliseconds} ms instead of ${from}`);
  }

  test("connect: one server that does not answer", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor("one.example.test"));
    await client.untilEnd();
    assertWithin(performance.now() - client.openedAt, CONNECT);
    assert.equal(alertIn(client.bytes), "internal_error");
    const record = await proxy.recordOf(client);
    assert.equal(record.reason, "connect_timeout");
    assert.deepEqual(record.upstream, [`${holes[0]?.address} (ETIMEDOUT)`]);
    assert.equal(record.connectTime, undefined);
  });

  test("connect: three servers that do not answer share the time, and each is tried once", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor("three.example.test"));
    await client.untilEnd();
    assertWithin(performance.now() - client.openedAt, CONNECT);
    const record = await proxy.recordOf(client);
    assert.equal(record.reason, "connect_timeout");
    assert.deepEqual(record.upstream?.toSorted(), holes.map((hole) => `${hole.address} (ETIMEDOUT)`).toSorted());
  });

  async function assertIdle(client: Peer, server: Peer, since: number): Promise<LogRecord> {
    await Promise.all([client.untilEnd(), server.untilEnd()]);
    assertWithin(performance.now() - since, IDLE);
    const record = await proxy.recordOf(client);
    assert.equal(record.reason, "idle_timeout");
    return record;
  }

  test("idle: a connection on which nothing moves is ended on both sides", async (t) => {
    const { client, server } = await join(t, proxy, origin, HOST);
    await assertIdle(client, server, performance.now());
    assert.equal(client.length, 0, "a word of the proxy's own in the middle of the server's stream");
  });

  test("idle: half closed and quiet is idle as well", async (t) => {
    const { client, server } = await join(t, proxy, origin, HOST);
    client.finish();
    await server.untilEnd();
    const since = performance.now();
    assert.equal((await proxy.recordOf(client)).reason, "idle_timeout");
    assertWithin(performance.now() - since, IDLE);
  });

  for (const [name, fromClient] of [
    ["client", true],
    ["server", false],
  ] as const) {
    test(`idle: a byte now and then, from the ${name} alone, keeps it open`, async (t) => {
      const { client, server } = await join(t, proxy, origin, HOST);
      const [sender, reader] = fromClient ? [client, server] : [server, client];
      const already = reader.length;
      const bytes = 6;
      for (let count = 1; count <= bytes; count++) {
        await pause(IDLE / 3);
        assert.deepEqual([client.ending, server.ending], ["open", "open"]);
        sender.send(".");
        await reader.receive(already + count);
      }
      const record = await assertIdle(client, server, performance.now());
      assert.ok(record.duration > (bytes * IDLE) / 3, "shorter than what was going on");
    });
  }
});
