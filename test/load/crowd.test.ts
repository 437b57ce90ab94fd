/** Thousands of idle connections are open while others work: nobody waits for them, and all of them still live afterwards. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachCombination } from "../conformance/harness/combinations.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { echo, startOrigin } from "../conformance/harness/origin.ts";
import { dial, type Peer } from "../conformance/harness/peer.ts";
import { type RunningProxy, startProxy } from "../conformance/harness/proxy.ts";
import type { Scope } from "../conformance/harness/waiting.ts";

const HOST = "crowd.example.test";
const HELLO = helloFor(HOST);
const IDLE = 5000;
const BATCH = 250;
const SHORT = 1500;
/** Milliseconds that the slowest of the short connections may take on a busy machine: a stall is seconds. */
const SLOWEST = 1000;

async function openEcho(t: Scope, proxy: RunningProxy): Promise<Peer> {
  const client = await dial(t, proxy.endpoint);
  await client.send(HELLO).receive(HELLO.length);
  return client;
}

async function inBatches<T>(total: number, task: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  while (results.length < total) results.push(...(await Promise.all(Array.from({ length: BATCH }, task))));
  return results;
}

forEachCombination((combination) => {
  test(`${IDLE} idle connections and ${SHORT} short ones`, async (t) => {
    const origin = await startOrigin(t, { accept: echo });
    const proxy = await startProxy(t, combination, {
      config: { listeners: [{ address: "127.0.0.1:0" }], routes: { [HOST]: origin.address } },
    });
    const idle = await inBatches(IDLE, () => openEcho(t, proxy));
    const times: number[] = [];
    for (let round = 0; round < SHORT / 10; round++) {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const client = await openEcho(t, proxy);
          times.push(performance.now() - client.openedAt);
          client.finish();
          assert.equal(await client.untilEnd(), "fin");
        }),
      );
    }
    t.diagnostic(`slowest of ${times.length}: ${Math.max(...times).toFixed(0)} ms`);
    assert.ok(Math.max(...times) < SLOWEST, `one took ${Math.max(...times)} ms`);
    await proxy.waitForCount(SHORT);
    for (const client of idle) client.send("alive?");
    for (const client of idle) await client.receive(HELLO.length + "alive?".length);
    for (const client of idle) client.finish();
    await proxy.waitForCount(IDLE + SHORT, 60_000);
    assert.ok(proxy.log.records.every(({ reason }) => reason === "ok"));
  });
});
