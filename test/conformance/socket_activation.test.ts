/** Sockets that systemd opened: `LISTEN_FDS`, found by their addresses. The test does what systemd does. */

import assert from "node:assert/strict";
import { join as joinPath } from "node:path";
import { test } from "node:test";
import { openLibc } from "../../adapters/linux/ffi.ts";
import { Kernel } from "../../adapters/linux/kernel.ts";
import { formatEndpoint, parseEndpoint } from "../../src/address.ts";
import { forEachCombination } from "./harness/combinations.ts";
import { join, sendFirst } from "./harness/connection.ts";
import { gapOf, needs } from "./harness/gaps.ts";
import { helloFor } from "./harness/hello.ts";
import { startOrigin, temporaryDirectory } from "./harness/origin.ts";
import { dial } from "./harness/peer.ts";
import { launch, startProxy } from "./harness/proxy.ts";
import type { Scope } from "./harness/waiting.ts";

const HOST = "activated.example.test";

interface Passed {
  readonly descriptor: number;
  readonly endpoint: string;
}

/** Listens, and nobody accepts: by libc, since `node:net` would. */
async function openSocket(scope: Scope, address: string): Promise<Passed> {
  const libc = await openLibc();
  const kernel = new Kernel(libc);
  const endpoint = parseEndpoint(address, { allowPortZero: true });
  assert.ok(endpoint);
  const descriptor = kernel.openSocket(endpoint);
  assert.ok(descriptor >= 0 && kernel.bind(descriptor, endpoint) === 0 && libc.listen(descriptor, 100) === 0);
  scope.after(() => void libc.close(descriptor));
  const bound = endpoint.kind === "unix" ? endpoint : kernel.localEndpoint(descriptor);
  assert.ok(bound);
  return { descriptor, endpoint: formatEndpoint(bound) };
}

forEachCombination((combination) => {
  for (const workers of [1, 2]) {
    test(
      `${workers} workers accept from passed sockets, TCP and unix`,
      needs(combination, "adopts_sockets"),
      async (t) => {
        const origin = await startOrigin(t);
        const tcp = await openSocket(t, "127.0.0.1:0");
        const unix = await openSocket(t, `unix:${joinPath(temporaryDirectory(t), "a.sock")}`);
        const proxy = await startProxy(t, combination, {
          config: {
            listeners: [{ address: unix.endpoint }, { address: tcp.endpoint }, { address: "127.0.0.1:0" }],
            routes: { [HOST]: origin.address },
            workers,
          },
          passed: [tcp.descriptor, unix.descriptor],
        });
        assert.deepEqual(proxy.endpoints.slice(0, 2), [unix.endpoint, tcp.endpoint]);
        for (const endpoint of proxy.endpoints) {
          for (let i = 0; i < 6; i++) {
            const { client, server } = await join(t, proxy, origin, HOST, { endpoint });
            server.send("here").finish();
            await client.receiveText("here");
            client.finish();
          }
        }
        await proxy.waitForCount(18);
        assert.ok(proxy.log.records.every(({ reason }) => reason === "ok"));
        assert.deepEqual(await proxy.stop(), { code: 0, signal: null });
        // The socket outlives the program: a client waits for the next one.
        for (const { endpoint } of [tcp, unix]) await dial(t, endpoint);
      },
    );
  }

  test("a client that waited before the start is served", needs(combination, "adopts_sockets"), async (t) => {
    const origin = await startOrigin(t);
    const tcp = await openSocket(t, "127.0.0.1:0");
    const client = await sendFirst(t, tcp.endpoint, helloFor(HOST));
    await startProxy(t, combination, {
      config: { listeners: [{ address: tcp.endpoint }], routes: { [HOST]: origin.address } },
      passed: [tcp.descriptor],
    });
    (await origin.next()).send("served");
    await client.receiveText("served");
  });

  test("a socket that no listener has is refused by its address", needs(combination, "adopts_sockets"), async (t) => {
    const tcp = await openSocket(t, "127.0.0.1:0");
    const proxy = launch(t, combination, {
      config: { listeners: [{ address: "127.0.0.1:0" }], routes: {} },
      passed: [tcp.descriptor],
      mayFail: true,
    });
    assert.equal((await proxy.waitForExit(30_000)).code, 2);
    assert.match(proxy.stderr, new RegExp(`systemd passed: no listener has the address ${tcp.endpoint};`));
  });

  const gap = gapOf(combination, "adopts_sockets");
  test("an adapter that cannot use it says so", { skip: gap === undefined ? "it can" : false }, async (t) => {
    const tcp = await openSocket(t, "127.0.0.1:0");
    const proxy = launch(t, combination, {
      config: { listeners: [{ address: tcp.endpoint }], routes: {} },
      passed: [tcp.descriptor],
      mayFail: true,
    });
    assert.equal((await proxy.waitForExit(30_000)).code, 2);
    assert.match(proxy.stderr, /Cannot use the sockets that systemd passed: the adapter \w+ has no way to; use/);
  });
});
