/** Bandwidth of each connection and direction: no faster than it says, nothing lost, and the sender is slowed down. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, kernelBuffers, MIB, sendBulk, taken } from "./harness/bulk.ts";
import { forEachCombination } from "./harness/combinations.ts";
import type { Joined } from "./harness/connection.ts";
import { gapOf } from "./harness/gaps.ts";
import { dial } from "./harness/peer.ts";
import { SharedPath } from "./harness/shared_path.ts";
import type { Scope } from "./harness/waiting.ts";

const DEADLINE = 30_000;
/** What may pass at once is a tenth of a second's worth; half as much again for rounding. */
const fastest = (bytes: number, rate: number): number => (1000 * bytes) / rate - 150;

forEachCombination((combination) => {
  const path = new SharedPath(combination, (to) => ({
    listeners: [
      { address: "127.0.0.1:0" },
      { address: "127.0.0.1:0", rate: { down: "2MB", up: "1GB" } },
      { address: "127.0.0.1:0", protocol: "http" },
    ],
    routes: {
      "slow.test": { to, rate: { down: "1MB", up: "1MB" } },
      "bulk.test": { to, rate: { down: "40MB", up: "40MB" } },
      "down.test": { to, rate: { down: "100KB" } },
      "tiny.test": { to, rate: { up: "20KB" } },
      "plain.test": to,
    },
  }));

  const joined = (t: Scope, host: string, listener = 0, behindHello = ""): Promise<Joined> =>
    path.join(t, host, { endpoint: path.proxy.endpoints[listener] ?? "", behindHello });

  for (const [host, rate, length] of [
    ["slow.test", 1e6, 0.8e6],
    ["bulk.test", 40e6, 32 * MIB],
  ] as const) {
    for (const direction of ["up", "down"] as const) {
      test(`${rate / 1e6} MB a second ${direction}: not faster, every byte, then the end`, async (t) => {
        const { client, server, hello } = await joined(t, host);
        const [sender, reader] = direction === "up" ? [client, server] : [server, client];
        reader.count();
        const begin = performance.now();
        await sendBulk(sender, 1, length);
        sender.finish();
        assert.equal(await reader.untilEnd(DEADLINE), "fin");
        const took = performance.now() - begin;
        assert.equal(reader.digest(), digestOf(1, length, direction === "up" ? hello : undefined));
        assert.ok(took >= fastest(length, rate), `${length} bytes in ${took} ms`);
        reader.finish();
        assert.equal((await path.proxy.recordOf(client)).reason, "ok");
      });
    }
  }

  test("what comes with the hello counts as well", async (t) => {
    const begin = performance.now();
    const { client, server, hello } = await joined(t, "tiny.test", 0, "x".repeat(50_000));
    client.send("y".repeat(4_000));
    await server.receive(hello.length + 4_000, DEADLINE);
    assert.ok(performance.now() - begin >= fastest(50_000, 20_000), `${performance.now() - begin} ms`);
  });

  test("a listener's rate is for routes that have none", async (t) => {
    const { client, server } = await joined(t, "plain.test", 1);
    const begin = performance.now();
    client.count();
    await sendBulk(server, 2, 1.2e6);
    await client.receive(1.2e6, DEADLINE);
    assert.ok(performance.now() - begin >= fastest(1.2e6, 2e6));
    assert.equal(client.digest(), digestOf(2, 1.2e6));
  });

  test("one direction's rate is not the other's, and what may not pass yet is not read", async (t) => {
    const { client, server, hello } = await joined(t, "down.test");
    server.count();
    client.count();
    const offered = sendBulk(server, 3, 64 * MIB);
    // At the other direction's rate it would take five minutes.
    await sendBulk(client, 4, 32 * MIB);
    await server.receive(hello.length + 32 * MIB, DEADLINE);
    assert.equal(server.digest(), digestOf(4, 32 * MIB, hello));
    await client.receive(50_000);
    assert.ok(taken(server) < kernelBuffers() + 2 * MIB, `${taken(server)} bytes were read`);
    client.reset();
    await server.untilEnd();
    await offered;
    assert.equal((await path.proxy.recordOf(client)).reason, "client_reset");
  });

  test("a server that breaks while bytes wait breaks the client's connection", async (t) => {
    const { client, server } = await joined(t, "down.test");
    void sendBulk(server, 5, 8 * MIB);
    await client.receive(4_096);
    server.reset();
    const ending = await client.untilEnd(DEADLINE);
    if (gapOf(combination, "sends_reset") === undefined) assert.equal(ending, "reset");
    assert.ok(client.length < 8 * MIB);
  });

  test("a client that has finished gets what waits of a server that is gone", async (t) => {
    const { client, server } = await joined(t, "slow.test");
    client.count().finish();
    assert.equal(await server.untilEnd(), "fin");
    await sendBulk(server, 7, 0.5e6);
    server.finish();
    await server.untilClosed();
    assert.equal(await client.untilEnd(DEADLINE), "fin");
    assert.equal(client.digest(), digestOf(7, 0.5e6));
    assert.equal((await path.proxy.recordOf(client)).reason, "ok");
  });

  test("HTTP: the body has the rate, and what is behind the request still goes nowhere", async (t) => {
    const { client, server } = await joinHttp(t, 0.6e6);
    const begin = performance.now();
    await sendBulk(client, 6, 0.6e6);
    client.send("GET /second HTTP/1.1\r\nHost: slow.test\r\n\r\n");
    const text = (await server.receive(0.6e6, DEADLINE)).toString("latin1");
    assert.ok(performance.now() - begin >= fastest(0.6e6, 1e6));
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").finish();
    await client.receiveText("ok");
    client.finish();
    assert.equal(await server.untilEnd(), "fin");
    assert.doesNotMatch(text + server.text, /second/);
  });

  async function joinHttp(t: Scope, length: number): Promise<Joined> {
    const client = await dial(t, path.proxy.endpoints[2] ?? "");
    client.send(`POST / HTTP/1.1\r\nHost: slow.test\r\nContent-Length: ${length}\r\n\r\n`);
    const server = await path.origin.next();
    return { client, server, hello: await server.receive(10) };
  }
});
