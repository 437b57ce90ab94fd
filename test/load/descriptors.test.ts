/** Descriptors run out although `limits.connections` would allow more: clients wait, nothing spins, and it ends by itself. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachCombination } from "../conformance/harness/combinations.ts";
import { needs } from "../conformance/harness/gaps.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { startOrigin } from "../conformance/harness/origin.ts";
import { dial } from "../conformance/harness/peer.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { pause, until } from "../conformance/harness/waiting.ts";

const HOST = "descriptors.example.test";
const DESCRIPTORS = 220;
const CLIENTS = 300;
/** Milliseconds of shortage over which the processor time is taken. */
const SHORTAGE = 2000;

forEachCombination((combination) => {
  test(
    "clients wait in the kernel, the processor rests, one line says so",
    needs(combination, "tells_shortage"),
    async (t) => {
      const origin = await startOrigin(t);
      const proxy = await startProxy(t, combination, {
        config: {
          listeners: [{ address: "127.0.0.1:0" }],
          routes: { [HOST]: origin.address },
          timeouts: { preread: "60s" },
          limits: { connections: 100_000 },
        },
        descriptorLimit: DESCRIPTORS,
      });
      assert.match(proxy.stderr, /limits\.connections: 100000 needs 200128 descriptors, and the limit is 220/);
      const crowd = await Promise.all(Array.from({ length: CLIENTS }, () => dial(t, proxy.endpoint)));
      for (const client of crowd) client.send(helloFor(HOST).subarray(0, 30));
      await proxy.waitForStderr(/Cannot accept on 127\.0\.0\.1:\d+: EMFILE; clients wait until there is room again\n/);
      const before = proxy.processorTime();
      await pause(SHORTAGE);
      const share = (proxy.processorTime() - before) / SHORTAGE;
      assert.ok(share < 0.05, `it kept ${Math.round(share * 100)} % of a processor busy`);
      assert.ok(
        crowd.every(({ ending }) => ending === "open"),
        "a client was sent away",
      );
      for (const client of crowd.slice(0, CLIENTS / 2)) client.reset();
      const last = crowd.at(-1);
      last?.send(helloFor(HOST).subarray(30));
      const server = await origin.next();
      await server.receive(helloFor(HOST).length);
      assert.equal(proxy.stderr.match(/Cannot accept/g)?.length, 1);
    },
  );

  test("no server is blamed for a shortage here", needs(combination, "tells_shortage"), async (t) => {
    const origin = await startOrigin(t);
    const proxy = await startProxy(t, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0" }],
        routes: { [HOST]: "pool" },
        upstreams: { pool: { servers: [origin.address, { address: origin.address, backup: true }] } },
        timeouts: { preread: "60s" },
        limits: { connections: 100_000 },
      },
      descriptorLimit: DESCRIPTORS,
    });
    const crowd = await Promise.all(Array.from({ length: CLIENTS }, () => dial(t, proxy.endpoint)));
    for (const client of crowd) client.send(helloFor(HOST).subarray(0, 30));
    await proxy.waitForStderr(/Cannot accept on 127\.0\.0\.1:\d+: EMFILE/);
    for (const client of crowd) client.send(helloFor(HOST).subarray(30));
    const { upstream } = await proxy.waitForRecord(({ reason }) => reason === "connect_failed", "of one that failed");
    assert.match(upstream?.join() ?? "", /EMFILE/);
    for (const client of crowd) client.reset();
    await until("a client that is served", async () => {
      const client = await dial(t, proxy.endpoint);
      client.send(helloFor(HOST));
      await origin.next();
      client.reset();
      return true;
    });
    assert.doesNotMatch(proxy.stderr, /is passed over/);
  });
});
