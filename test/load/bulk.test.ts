/** 1 GiB each way, both at once, arrives as it was sent. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, MIB, sendBulk } from "../conformance/harness/bulk.ts";
import { forEachCombination } from "../conformance/harness/combinations.ts";
import { join } from "../conformance/harness/connection.ts";
import { startOrigin } from "../conformance/harness/origin.ts";
import { startProxy } from "../conformance/harness/proxy.ts";

const HOST = "bulk.example.test";
const GIB = 1024 * MIB;
const DEADLINE = 180_000;

forEachCombination((combination) => {
  test("1 GiB each way with the same SHA-256", async (t) => {
    const origin = await startOrigin(t);
    const proxy = await startProxy(t, combination, {
      config: { listeners: [{ address: "127.0.0.1:0" }], routes: { [HOST]: origin.address } },
    });
    const { client, server, hello } = await join(t, proxy, origin, HOST);
    client.count();
    server.count();
    const started = performance.now();
    await Promise.all([
      sendBulk(client, 1, GIB).then(() => client.finish()),
      sendBulk(server, 2, GIB).then(() => server.finish()),
    ]);
    assert.equal(await server.untilEnd(DEADLINE), "fin");
    assert.equal(await client.untilEnd(DEADLINE), "fin");
    t.diagnostic(`2 GiB in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    assert.equal(server.length, hello.length + GIB);
    assert.equal(client.length, GIB);
    assert.equal(server.digest(), digestOf(1, GIB, hello));
    assert.equal(client.digest(), digestOf(2, GIB));
    const record = await proxy.recordOf(client);
    assert.deepEqual([record.bytesReceived, record.bytesSent], [hello.length + GIB, GIB]);
  });
});
