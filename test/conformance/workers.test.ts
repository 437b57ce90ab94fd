/** Several threads carry connections: they share a port, one log, one resolver, and one end. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { join, sendFirst } from "./harness/connection.ts";
import { startDnsServer } from "./harness/dns_server.ts";
import { helloFor } from "./harness/hello.ts";
import { echo, startOrigin } from "./harness/origin.ts";
import { startProxy } from "./harness/proxy.ts";

const HOST = "threads.example.test";

forEachCombination((combination) => {
  test("connections are spread, carried, and logged once each", async (t) => {
    const origin = await startOrigin(t, { accept: echo });
    const proxy = await startProxy(t, combination, {
      config: {
        workers: 2,
        listeners: [{ address: "127.0.0.1:0" }, { address: "127.0.0.1:0" }],
        routes: { [HOST]: origin.address },
      },
    });
    assert.match(proxy.stderr, /, 2 workers\n/);
    const clients = await Promise.all(
      Array.from({ length: 60 }, (_, index) => sendFirst(t, proxy.endpoints[index % 2] ?? "", helloFor(HOST))),
    );
    for (const client of clients) {
      await client.receive(helloFor(HOST).length);
      client.finish();
    }
    for (const client of clients) assert.equal((await proxy.recordOf(client)).reason, "ok");
    assert.equal(proxy.log.records.length, 60);
  });

  test("names are resolved, an unknown one is rejected, and SIGTERM waits for what is open", async (t) => {
    const origin = await startOrigin(t);
    const dns = await startDnsServer(t, { [HOST]: ["127.0.0.1"] });
    const proxy = await startProxy(t, combination, {
      config: {
        workers: 2,
        listeners: [{ address: "127.0.0.2:0" }],
        routes: { [HOST]: { to: `direct:${origin.port}`, allowPrivate: true } },
        resolver: { servers: [dns.address] },
        timeouts: { drain: "20s" },
      },
    });
    const { client, server } = await join(t, proxy, origin, HOST);
    const stranger = await sendFirst(t, proxy.endpoint, helloFor("unknown.example.test"));
    assert.equal((await proxy.recordOf(stranger)).reason, "no_route");
    proxy.signal("SIGTERM");
    await proxy.waitForStderr(/no longer accepting/);
    client.send("still");
    await server.receiveText("still");
    client.finish();
    server.finish();
    assert.deepEqual(await proxy.waitForExit(), { code: 0, signal: null });
    assert.equal(proxy.log.recordsOf(client)[0]?.reason, "ok");
  });
});
