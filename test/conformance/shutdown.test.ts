/** SIGTERM and SIGINT: no new connection, time for the open ones, then the end; a second signal ends at once. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { join } from "./harness/connection.ts";
import { helloFor } from "./harness/hello.ts";
import { type Origin, startOrigin } from "./harness/origin.ts";
import { dial } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, until } from "./harness/waiting.ts";

const HOST = "drain.example.test";
/** Milliseconds from the last connection's end to the process' end, on a busy machine. */
const PROMPT = 3000;

forEachCombination((combination) => {
  async function start(t: Scope, drain: string): Promise<{ origin: Origin; proxy: RunningProxy }> {
    const origin = await startOrigin(t);
    const proxy = await startProxy(t, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0" }],
        routes: { [HOST]: origin.address },
        timeouts: { drain, preread: "5s" },
      },
    });
    return { origin, proxy };
  }

  function refusesConnections(t: Scope, { endpoint }: RunningProxy): Promise<boolean> {
    return until("a refused connect", async () => {
      const error = await dial(t, endpoint).then(
        () => undefined,
        (thrown: NodeJS.ErrnoException) => thrown.code,
      );
      return error === "ECONNREFUSED" ? true : undefined;
    });
  }

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`${signal} without connections: the end, with exit code 0`, async (t) => {
      const { proxy } = await start(t, "30s");
      const sent = performance.now();
      assert.deepEqual(await proxy.stop(signal), { code: 0, signal: null });
      assert.ok(performance.now() - sent < PROMPT, "it waited for nobody");
      assert.match(proxy.stderr, new RegExp(`certless: ${signal}: no longer accepting\ncertless: stopped\n$`));
    });

    test(`${signal}: what is open goes on and finishes, what is new is refused`, async (t) => {
      const { origin, proxy } = await start(t, "30s");
      const { client, server, hello } = await join(t, proxy, origin, HOST);
      proxy.signal(signal);
      await proxy.waitForStderr(/no longer accepting, waiting up to 30 s for 1 connection\n/);
      await refusesConnections(t, proxy);
      client.send("still");
      await server.receiveText("still");
      server.send("here");
      await client.receiveText("here");
      assert.equal(proxy.exit, undefined);
      const finished = performance.now();
      client.finish();
      server.finish();
      assert.deepEqual(await proxy.waitForExit(), { code: 0, signal: null });
      assert.ok(performance.now() - finished < PROMPT, "it waited for nobody");
      assert.equal(await client.untilEnd(), "fin");
      const record = await proxy.recordOf(client);
      assert.deepEqual([record.reason, record.bytesReceived], ["ok", hello.length + "still".length]);
      assert.equal(proxy.log.partial, "", "the last log line was cut short");
    });
  }

  test("a client that has not said its name yet may still do so", async (t) => {
    const { origin, proxy } = await start(t, "30s");
    const client = await dial(t, proxy.endpoint);
    const hello = helloFor(HOST);
    client.send(hello.subarray(0, 20));
    const other = await join(t, proxy, origin, HOST);
    proxy.signal("SIGTERM");
    await proxy.waitForStderr(/for 2 connections\n/);
    client.send(hello.subarray(20));
    const server = await origin.next();
    assert.deepEqual(await server.receive(hello.length), hello);
    for (const peer of [client, server, other.client, other.server]) peer.finish();
    assert.deepEqual(await proxy.waitForExit(), { code: 0, signal: null });
    assert.equal(proxy.log.records.length, 2);
  });

  test("timeouts.drain: what is still open then is cut", async (t) => {
    const { origin, proxy } = await start(t, "700ms");
    const { client, server } = await join(t, proxy, origin, HOST);
    const sent = performance.now();
    proxy.signal("SIGTERM");
    assert.deepEqual(await proxy.waitForExit(), { code: 0, signal: null });
    const took = performance.now() - sent;
    assert.ok(took > 650 && took < 700 + PROMPT, `${took} ms`);
    await Promise.all([client.untilEnd(), server.untilEnd()]);
    assert.equal((await proxy.recordOf(client)).reason, "drain_timeout");
    assert.equal(proxy.log.records.length, 1);
  });

  test("timeouts.drain 0s: at once", async (t) => {
    const { origin, proxy } = await start(t, "0s");
    const { client } = await join(t, proxy, origin, HOST);
    const sent = performance.now();
    assert.deepEqual(await proxy.stop(), { code: 0, signal: null });
    assert.ok(performance.now() - sent < PROMPT);
    assert.equal((await proxy.recordOf(client)).reason, "drain_timeout");
  });

  test("a second signal ends at once", async (t) => {
    const { origin, proxy } = await start(t, "30s");
    const { client, server } = await join(t, proxy, origin, HOST);
    proxy.signal("SIGTERM");
    await proxy.waitForStderr(/no longer accepting/);
    const sent = performance.now();
    proxy.signal("SIGINT");
    assert.deepEqual(await proxy.waitForExit(), { code: 0, signal: null });
    assert.ok(performance.now() - sent < PROMPT, "it went on waiting");
    assert.match(proxy.stderr, /SIGINT again: ending now\n/);
    await Promise.all([client.untilEnd(), server.untilEnd()]);
    assert.equal((await proxy.recordOf(client)).reason, "drain_timeout");
  });
});
