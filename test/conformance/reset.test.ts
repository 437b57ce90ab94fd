/** A connection that breaks on one side breaks on the other, too: nobody is left waiting, or takes a part for the whole. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { MIB, sendBulk, untilStill } from "./harness/bulk.ts";
import { forEachCombination } from "./harness/combinations.ts";
import { type Joined, join } from "./harness/connection.ts";
import { needs } from "./harness/gaps.ts";
import { helloFor } from "./harness/hello.ts";
import { type Blackhole, type Origin, startBlackhole, startOrigin } from "./harness/origin.ts";
import { dial } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, suiteScope } from "./harness/waiting.ts";

const HOST = "reset.example.test";

forEachCombination((combination) => {
  const scope = suiteScope();
  let origin: Origin;
  let blackhole: Blackhole;
  let proxy: RunningProxy;

  before(async () => {
    origin = await startOrigin(scope);
    blackhole = await startBlackhole(scope);
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0" }],
        routes: { [HOST]: origin.address, "stuck.example.test": blackhole.address },
        timeouts: { connect: "1s" },
      },
    });
  });

  const joined = (t: Scope): Promise<Joined> => join(t, proxy, origin, HOST);

  test("the client breaks: the server's connection ends, and the log says who it was", async (t) => {
    const { client, server, hello } = await joined(t);
    server.send("a part");
    await client.receiveText("a part");
    client.reset();
    await server.untilEnd();
    const { reason, bytesReceived, bytesSent } = await proxy.recordOf(client);
    assert.deepEqual(
      { reason, bytesReceived, bytesSent },
      { reason: "client_reset", bytesReceived: hello.length, bytesSent: "a part".length },
    );
  });

  test("the server breaks: the client's connection ends, and the log says who it was", async (t) => {
    const { client, server } = await joined(t);
    server.send("a part");
    await client.receiveText("a part");
    server.reset();
    await client.untilEnd();
    const { reason, bytesSent } = await proxy.recordOf(client);
    assert.deepEqual({ reason, bytesSent }, { reason: "server_reset", bytesSent: "a part".length });
  });

  test("the client's reset arrives as a reset", needs(combination, "sends_reset"), async (t) => {
    const { client, server } = await joined(t);
    client.reset();
    assert.equal(await server.untilEnd(), "reset");
  });

  test("the server's reset arrives as a reset", needs(combination, "sends_reset"), async (t) => {
    const { client, server } = await joined(t);
    server.reset();
    assert.equal(await client.untilEnd(), "reset");
  });

  test("the client breaks while the server does not read", async (t) => {
    const { client, server } = await joined(t);
    server.stall();
    void sendBulk(client, 1, 256 * MIB);
    await untilStill([client]);
    client.reset();
    server.flow().count();
    await server.untilEnd();
    assert.equal((await proxy.recordOf(client)).reason, "client_reset");
  });

  test("the server breaks while the client does not read", async (t) => {
    const { client, server } = await joined(t);
    client.stall();
    void sendBulk(server, 1, 256 * MIB);
    await untilStill([server]);
    server.reset();
    client.flow().count();
    await client.untilEnd();
    assert.equal((await proxy.recordOf(client)).reason, "server_reset");
  });

  test("an answer that came whole is delivered, though the server then breaks under what the client sends", async (t) => {
    const { client, server } = await joined(t);
    server.send("413 too much").finish();
    assert.equal(await client.untilEnd(), "fin");
    server.destroy();
    // The second one meets the RST that the first one called forth.
    client.send("more");
    await server.untilClosed();
    client.send("and more").finish();
    const { reason, bytesSent } = await proxy.recordOf(client);
    // Whether the server's end counts as broken depends on which error the system has for its RST.
    assert.ok(["ok", "server_reset"].includes(reason), reason);
    assert.equal(bytesSent, "413 too much".length);
    assert.equal(client.text, "413 too much");
  });

  test("the client breaks in the middle of its hello: no server is bothered", async (t) => {
    const client = await dial(t, proxy.endpoint);
    const connections = origin.peers.length;
    client.send(helloFor(HOST).subarray(0, 60));
    // A second client behind it shows that the first one's bytes have been read.
    const second = await joined(t);
    second.client.finish();
    second.server.finish();
    client.reset();
    const record = await proxy.recordOf(client);
    assert.equal(record.reason, "client_left");
    assert.equal(record.upstream, undefined);
    assert.equal(origin.peers.length, connections + 1);
  });

  test(
    "a client that breaks before it is accepted has its line too",
    needs(combination, "sees_early_reset"),
    async (t) => {
      const before = proxy.log.lines.length;
      proxy.notify("SIGSTOP");
      try {
        const client = await dial(t, proxy.endpoint);
        // Its hello may well be read: nobody else's server must be its.
        client.send(helloFor("stuck.example.test")).reset();
        proxy.notify("SIGCONT");
        const record = await proxy.recordOf(client);
        assert.ok(["client_left", "client_reset"].includes(record.reason), record.reason);
      } finally {
        proxy.notify("SIGCONT");
      }
      assert.equal(proxy.log.lines.length, before + 1);
    },
  );

  test("clients that break before they are accepted hold nobody up", async (t) => {
    proxy.notify("SIGSTOP");
    try {
      for (let index = 0; index < 60; index++) (await dial(t, proxy.endpoint)).reset();
      const client = await dial(t, proxy.endpoint);
      client.send(helloFor(HOST));
      proxy.notify("SIGCONT");
      const from = performance.now();
      await origin.next();
      assert.ok(performance.now() - from < 1000, `served after ${performance.now() - from} ms`);
    } finally {
      proxy.notify("SIGCONT");
    }
  });

  test("the client breaks while the server is being dialled: one line, and nothing left open", async (t) => {
    const client = await dial(t, proxy.endpoint);
    client.send(helloFor("stuck.example.test"));
    const other = await joined(t);
    client.reset();
    const record = await proxy.recordOf(client);
    // Whether a reset is seen before anything is read or written is the runtime's matter; the deadline is not.
    assert.ok(["client_left", "connect_timeout"].includes(record.reason), record.reason);
    assert.ok(record.duration < 2000, `${record.duration} ms`);
    other.client.finish();
    other.server.finish();
    await proxy.recordOf(other.client);
    assert.equal(proxy.log.recordsOf(client).length, 1);
  });
});
