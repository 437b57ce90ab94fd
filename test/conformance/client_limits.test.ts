/** What one client may take up: connections, their pace, and handshakes; exact, however many workers carry them. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { type Combination, forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { helloFor } from "./harness/hello.ts";
import { echo, startOrigin } from "./harness/origin.ts";
import { dial, freshAddress, type Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, until } from "./harness/waiting.ts";

const HOST = "limit.example.test";
const HELLO = helloFor(HOST);

async function start(
  t: Scope,
  combination: Combination,
  limits: Record<string, unknown>,
  listener: Record<string, unknown> = {},
): Promise<RunningProxy> {
  const origin = await startOrigin(t, { accept: echo });
  return await startProxy(t, combination, {
    config: {
      workers: 2,
      listeners: [{ address: "127.0.0.1:0", ...listener }],
      routes: { [HOST]: origin.address },
      limits,
    },
  });
}

forEachCombination((combination) => {
  /** Whether the proxy serves a client, or closes it without a word. */
  async function isServed(client: Peer): Promise<boolean> {
    await Promise.race([client.receive(HELLO.length), client.untilEnd()]).catch(() => {});
    assert.ok(client.length === 0 || client.length === HELLO.length, client.text);
    return client.length > 0;
  }

  async function open(
    t: Scope,
    proxy: RunningProxy,
    count: number,
    localAddress: string,
    before = "",
  ): Promise<Peer[]> {
    const bytes = Buffer.concat([Buffer.from(before), HELLO]);
    const clients: Peer[] = [];
    // One after the other, so that ports differ; the answers are waited for together.
    for (let i = 0; i < count; i++) clients.push(await sendFirst(t, proxy.endpoint, bytes, localAddress));
    return clients;
  }

  async function served(clients: readonly Peer[]): Promise<Peer[]> {
    const answers = await Promise.all(clients.map(isServed));
    return clients.filter((_, index) => answers[index]);
  }

  async function assertRefused(proxy: RunningProxy, clients: readonly Peer[], reason: string): Promise<void> {
    for (const client of clients) assert.equal((await proxy.recordOf(client)).reason, reason);
  }

  test("limits.perClient: so many and no more, over two workers, until one leaves", async (t) => {
    const proxy = await start(t, combination, { perClient: 6 });
    const address = freshAddress();
    const crowd = await open(t, proxy, 16, address);
    const inside = await served(crowd);
    assert.equal(inside.length, 6);
    await assertRefused(
      proxy,
      crowd.filter((client) => !inside.includes(client)),
      "per_client_limit",
    );
    assert.equal((await served(await open(t, proxy, 6, freshAddress()))).length, 6, "another client");
    const [leaving] = inside;
    leaving?.finish();
    await leaving?.untilEnd();
    await until("room for one more", async () => (await served(await open(t, proxy, 1, address)))[0]);
    assert.equal((await served(await open(t, proxy, 1, address))).length, 0);
  });

  test("limits.newPerSecond: a burst, then the pace", async (t) => {
    const proxy = await start(t, combination, { newPerSecond: 1, burst: 4 });
    const begin = performance.now();
    const crowd = await open(t, proxy, 20, freshAddress());
    const inside = await served(crowd);
    const seconds = (performance.now() - begin) / 1000;
    assert.ok(inside.length >= 4 && inside.length <= 5 + seconds, `${inside.length} in ${seconds} s`);
    await assertRefused(
      proxy,
      crowd.filter((client) => !inside.includes(client)),
      "new_per_second_limit",
    );
    assert.equal((await served(await open(t, proxy, 4, freshAddress()))).length, 4, "another client");
  });

  test("behind a PROXY header, the client that it names is counted; of IPv6, its /64", async (t) => {
    const proxy = await start(
      t,
      combination,
      { perClient: 2 },
      { proxyProtocol: true, trustedProxies: ["127.0.0.0/8"] },
    );
    const as = async (ip: string): Promise<boolean> => {
      const header = ip.includes(":")
        ? `PROXY TCP6 ${ip} 2001:db8:ff::1 5 6\r\n`
        : `PROXY TCP4 ${ip} 192.0.2.1 5 6\r\n`;
      return (await served(await open(t, proxy, 1, freshAddress(), header))).length === 1;
    };
    for (const [ip, expected] of [
      ["192.0.2.7", true],
      ["192.0.2.7", true],
      ["192.0.2.7", false],
      ["192.0.2.8", true],
      ["2001:db8::1", true],
      ["2001:db8::ffff:1", true],
      ["2001:db8::2", false],
      ["2001:db8:0:1::1", true],
    ] as const) {
      assert.equal(await as(ip), expected, ip);
    }
  });

  test("limits.handshakes: those who are not connected to a server yet; who is connected makes room", async (t) => {
    const proxy = await start(t, combination, { handshakes: 2 });
    const begin = async (): Promise<Peer> => (await dial(t, proxy.endpoint)).send(HELLO.subarray(0, 20));
    const slow = [await begin(), await begin()];
    const refused = await until("a client that is refused", async () => {
      // One that was accepted later than a client who asks was itself refused.
      for (const [index, client] of slow.entries()) if (client.ending !== "open") slow[index] = await begin();
      const [client] = await open(t, proxy, 1, freshAddress());
      return client !== undefined && !(await isServed(client)) ? client : undefined;
    });
    await assertRefused(proxy, [refused], "handshakes_limit");
    for (const client of slow) client.send(HELLO.subarray(20));
    assert.deepEqual(await served(slow), slow);
    assert.equal((await served(await open(t, proxy, 1, freshAddress()))).length, 1);
  });

  test("limits.dryRun: everybody is served, and the log says who would not have been", async (t) => {
    const proxy = await start(t, combination, { perClient: 3, newPerSecond: 100, handshakes: 100, dryRun: true });
    const crowd = await open(t, proxy, 8, freshAddress());
    assert.equal((await served(crowd)).length, 8);
    for (const client of crowd) client.finish();
    const records = await Promise.all(crowd.map((client) => proxy.recordOf(client)));
    assert.ok(records.every(({ reason }) => reason === "ok"));
    const would = records.map(({ wouldReject }) => wouldReject).filter((reason) => reason !== undefined);
    assert.deepEqual(would, Array(5).fill("per_client_limit"));
  });
});
