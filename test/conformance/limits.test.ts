/** What one client, or all of them, can make the proxy hold. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Combination, forEachCombination } from "./harness/combinations.ts";
import { join } from "./harness/connection.ts";
import { gapOf, needs } from "./harness/gaps.ts";
import { helloFor } from "./harness/hello.ts";
import { type Origin, startOrigin } from "./harness/origin.ts";
import { dial, type Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { pause, type Scope, until } from "./harness/waiting.ts";

const HOST = "limit.example.test";
const CONNECTIONS = 5;

async function start(
  t: Scope,
  combination: Combination,
  limits: Record<string, unknown>,
  descriptorLimit?: number,
): Promise<{ origin: Origin; proxy: RunningProxy }> {
  const origin = await startOrigin(t);
  const proxy = await startProxy(t, combination, {
    config: { listeners: [{ address: "127.0.0.1:0" }], routes: { [HOST]: origin.address }, limits },
    ...(descriptorLimit === undefined ? {} : { descriptorLimit }),
  });
  return { origin, proxy };
}

forEachCombination((combination) => {
  test("limits.connections: open ones go on, the operator is told, and there is room again when one leaves", async (t) => {
    const { origin, proxy } = await start(t, combination, { connections: CONNECTIONS });
    const joined = [];
    for (let index = 0; index < CONNECTIONS; index++) joined.push(await join(t, proxy, origin, HOST));
    await proxy.waitForStderr(/limits\.connections reached: 5 connections are open\n/);
    const late = await dial(t, proxy.endpoint);
    late.send(helloFor(HOST));
    for (const [index, { client, server }] of joined.entries()) {
      client.send(`still ${index}`);
      await server.receiveText(`still ${index}`);
    }
    assert.equal(origin.peers.length, CONNECTIONS, "one too many was let through");
    const leaving = joined[0];
    leaving?.client.finish();
    leaving?.server.finish();
    await leaving?.client.untilEnd();
    // Where accepts cannot be paused, the late one was sent away; whoever comes now is served.
    const next = gapOf(combination, "pauses_accepts") === undefined ? late : await servedAgain(t, proxy, origin);
    const server = await origin.next();
    await server.receiveText(HOST);
    server.send("welcome");
    await next.receiveText("welcome");
  });

  async function servedAgain(t: Scope, proxy: RunningProxy, origin: Origin): Promise<Peer> {
    return await until("a client that is served again", async () => {
      const client = await dial(t, proxy.endpoint);
      client.send(helloFor(HOST));
      await Promise.race([client.untilEnd().catch(() => undefined), pause(200)]);
      return origin.peers.length > CONNECTIONS ? client : undefined;
    });
  }

  test("limits.connections: one too many waits in the kernel", needs(combination, "pauses_accepts"), async (t) => {
    const { origin, proxy } = await start(t, combination, { connections: CONNECTIONS });
    const joined = [];
    for (let index = 0; index < CONNECTIONS; index++) joined.push(await join(t, proxy, origin, HOST));
    const late = await Promise.all(Array.from({ length: 3 }, () => dial(t, proxy.endpoint)));
    for (const client of late) client.send(helloFor(HOST));
    await pause(200);
    assert.deepEqual(
      late.map((client) => client.ending),
      ["open", "open", "open"],
    );
    for (const { client, server } of joined) {
      client.finish();
      server.finish();
    }
    for (const _ of late) {
      const server = await origin.next();
      await server.receiveText(HOST);
    }
    assert.ok(proxy.log.records.every((record) => record.reason !== "too_many_connections"));
  });

  test("limits.connections: one number for all workers, however the kernel spreads the clients", async (t) => {
    const origin = await startOrigin(t);
    const proxy = await startProxy(t, combination, {
      config: {
        workers: 2,
        listeners: [{ address: "127.0.0.1:0" }],
        routes: { [HOST]: origin.address },
        limits: { connections: CONNECTIONS },
      },
    });
    const clients = await Promise.all(Array.from({ length: 3 * CONNECTIONS }, () => dial(t, proxy.endpoint)));
    for (const client of clients) client.send(helloFor(HOST)).finish();
    const waits = gapOf(combination, "pauses_accepts") === undefined;
    await until("as many as the limit lets in", () => origin.peers.length >= CONNECTIONS || undefined);
    await proxy.waitForStderr(/limits\.connections reached: \d+ connections are open\n/);
    if (waits) {
      // Each one that leaves makes room for another; the last ones of those who waited come in, too.
      for (let left = 0; left < clients.length; left++) {
        const server = await origin.next();
        await server.receiveText(HOST);
        assert.ok(origin.peers.length - left <= CONNECTIONS, `${origin.peers.length - left} at once`);
        server.finish();
      }
    } else await until("all others turned away", () => proxy.log.records.length === 2 * CONNECTIONS || undefined);
    assert.equal(origin.peers.length, waits ? clients.length : CONNECTIONS);
    const turnedAway = proxy.log.records.filter(({ reason }) => reason === "too_many_connections");
    assert.equal(turnedAway.length, waits ? 0 : 2 * CONNECTIONS);
  });

  const cannotPause = { skip: gapOf(combination, "pauses_accepts") === undefined && "here they can" };
  test(
    "limits.connections: where accepts cannot be paused, one too many is closed and logged",
    cannotPause,
    async (t) => {
      const { origin, proxy } = await start(t, combination, { connections: CONNECTIONS });
      for (let index = 0; index < CONNECTIONS; index++) await join(t, proxy, origin, HOST);
      const late = await dial(t, proxy.endpoint);
      late.send(helloFor(HOST));
      await late.untilEnd();
      assert.equal(late.length, 0);
      const record = await proxy.recordOf(late);
      assert.equal(record.reason, "too_many_connections");
      assert.equal(origin.peers.length, CONNECTIONS);
    },
  );

  test("descriptors: with limits.connections auto, more clients than the system allows do no harm", async (t) => {
    const { origin, proxy } = await start(t, combination, {}, 256);
    const crowd = await Promise.all(Array.from({ length: 400 }, () => dial(t, proxy.endpoint)));
    await proxy.waitForStderr(/limits\.connections reached: \d+ connections are open\n/);
    assert.ok(proxy.descriptors() <= 256);
    for (const client of crowd) client.destroy();
    const client = await until("a client that is served again", async () => {
      const next = await dial(t, proxy.endpoint);
      next.send(helloFor(HOST));
      await Promise.race([next.untilEnd().catch(() => undefined), pause(300)]);
      return origin.peers.length > 0 ? next : undefined;
    });
    origin.peers[0]?.send("welcome");
    await client.receiveText("welcome");
  });

  test("limits.prereadTotal: who would pass it is refused, until others have left", async (t) => {
    const { origin, proxy } = await start(t, combination, { prereadTotal: "64KiB" });
    // 40 KiB of a hello that is not complete.
    const part = helloFor(HOST, { padding: 50_000 }).subarray(0, 40_000);
    const first = await dial(t, proxy.endpoint);
    first.send(part);
    const second = await dial(t, proxy.endpoint);
    await until("the first one's bytes in the proxy", async () => {
      // A small one fits beside it in any case.
      const small = await join(t, proxy, origin, HOST);
      small.client.finish();
      small.server.finish();
      return true;
    });
    second.send(part);
    const refused = await Promise.race([first, second].map((client) => client.untilEnd().then(() => client)));
    assert.equal(refused.length, 0);
    assert.equal((await proxy.recordOf(refused)).reason, "preread_memory");
    const other = refused === first ? second : first;
    assert.equal(other.ending, "open", "the one that had its place lost it");
    other.reset();
    assert.equal((await proxy.recordOf(other)).reason, "client_left");
    const third = await dial(t, proxy.endpoint);
    // It would not fit beside what the other two had.
    const hello = helloFor(HOST, { padding: 40_000 });
    third.send(hello);
    const server = await origin.next();
    assert.deepEqual(await server.receive(hello.length), hello);
  });
});
