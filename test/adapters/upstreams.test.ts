/** What a program sees of its proxy's upstreams, on each runtime's own adapter. */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import tls from "node:tls";
import { createAuthority } from "../../adapters/demo/certificates.ts";
import { createHost } from "../../adapters/host.ts";
import { runtimeName, selectAdapter } from "../../adapters/select.ts";
import { createProxy } from "../../src/mod.ts";

const NAME = "shop.example.test";

test("health and certificates of each server", async () => {
  const { certificate, key } = createAuthority("library test CA").leaf(NAME);
  const server = tls.createServer({ cert: certificate, key }, (socket) => socket.on("error", () => {}).resume());
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { adapter } = await selectAdapter(runtimeName());
  const proxy = await createProxy(
    {
      listeners: [{ address: "127.0.0.1:0" }],
      routes: { [NAME]: "shop" },
      upstreams: {
        shop: { servers: [address], healthCheck: { type: "tls", interval: "5s", timeout: "5s", expiryWarning: "0s" } },
        plain: { servers: ["192.0.2.1:443"] },
      },
      log: { access: false },
    },
    { adapter, host: createHost() },
  );
  try {
    const deadline = performance.now() + 20_000;
    while (proxy.upstreams[0]?.servers[0]?.checkedAt === undefined && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [shop, plain] = proxy.upstreams;
    const found = shop?.servers[0];
    assert.deepEqual([shop?.name, found?.address, found?.health, found?.error], ["shop", address, "up", undefined]);
    assert.ok(Math.abs(Date.now() - (found?.since ?? 0)) < 60_000);
    const [seen] = found?.certificates ?? [];
    assert.deepEqual([seen?.serverName, seen?.issuer, seen?.daysLeft], [NAME, "library test CA", 6]);
    assert.deepEqual(
      plain?.servers.map(({ address, health, connections }) => [address, health, connections]),
      [["192.0.2.1:443", "unknown", 0]],
    );
  } finally {
    await proxy.stop();
    server.close();
  }
});
