/**
 * Loops: what goes out by name and comes back, straight or through other hops, is cut at once, and the log says why.
 */

import assert from "node:assert/strict";
import net from "node:net";
import { before, test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { startDnsServer } from "./harness/dns_server.ts";
import { alertIn, helloFor } from "./harness/hello.ts";
import { greet, type Origin, startOrigin } from "./harness/origin.ts";
import { connectOptions } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, suiteScope } from "./harness/waiting.ts";

/** A port that nobody has at the moment. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

forEachCombination((combination) => {
  const scope = suiteScope();
  let origin: Origin;
  let hop: Origin;
  let proxy: RunningProxy;

  before(async () => {
    const dns = await startDnsServer(scope, {
      "hop.test": ["127.0.0.1"],
      "self.test": ["127.0.0.1"],
      "good.test": ["127.0.0.1"],
      "nat.test": ["203.0.114.7"],
      "made-up.test": ["198.18.0.9"],
    });
    origin = await startOrigin(scope, { accept: greet("origin") });
    // Another proxy on the way: all that it gets comes back to us, from an address of its own.
    hop = await startOrigin(scope, {
      accept: (peer) => {
        const back = net.connect({ ...connectOptions(proxy.endpoint), allowHalfOpen: true } as net.NetConnectOpts);
        back.on("error", () => peer.destroy());
        scope.after(() => void back.destroy());
        peer.socket.pipe(back).pipe(peer.socket);
      },
    });
    const [tls, http] = [await freePort(), await freePort()];
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [
          { address: `127.0.0.1:${tls}` },
          { address: `127.0.0.1:${http}`, protocol: "http", routes: { "self.test": `self.test:${http}` } },
        ],
        routes: {
          "hop.test": { to: `direct:${hop.port}`, allowPrivate: true },
          "self.test": `self.test:${tls}`,
          "pool.test": "pool",
          "good.test": { to: `direct:${origin.port}`, allowPrivate: true },
          "nat.test": { to: "direct", allowPrivate: true },
          "made-up.test": "direct",
        },
        upstreams: { pool: { servers: [`self.test:${tls}`] } },
        resolver: { servers: [dns.address] },
        selfAddresses: ["203.0.114.7"],
      },
    });
  });

  async function ask(t: Scope, bytes: Uint8Array | string, listener = 0): Promise<Buffer> {
    const client = await sendFirst(t, proxy.endpoints[listener] ?? "", bytes);
    await client.untilEnd();
    return client.bytes;
  }

  test("through another hop: found by the hello, which no hop changes", async (t) => {
    const reply = await ask(t, helloFor("hop.test"));
    assert.equal(alertIn(reply), "access_denied");
    assert.equal(hop.peers.length, 1, "it went round once");
    const record = await proxy.waitForRecord(({ reason }) => reason === "loop", "of the loop");
    assert.match(record.detail ?? "", /hop\.test went out from here and came back from 127\.0\.0\.1/);
  });

  test("straight back to the listener", async (t) => {
    const reply = await ask(t, helloFor("self.test"));
    assert.equal(alertIn(reply), "access_denied");
    const records = await proxy.waitForRecord(
      ({ reason, serverName, protocol }) => reason === "loop" && serverName === "self.test" && protocol === "tls",
      "of the loop",
    );
    assert.match(records.detail ?? "", /self\.test went out from here/);
  });

  test("by way of an upstream whose server is a name", async (t) => {
    assert.equal(alertIn(await ask(t, helloFor("pool.test"))), "access_denied");
    await proxy.waitForRecord(
      ({ reason, serverName }) => reason === "loop" && serverName === "pool.test",
      "of the loop",
    );
  });

  test("a request that comes straight back", async (t) => {
    const reply = await ask(t, "GET / HTTP/1.1\r\nHost: self.test\r\n\r\n", 1);
    assert.match(reply.toString("latin1"), /^HTTP\/1\.1 508 Loop Detected\r\n/);
    await proxy.waitForRecord(({ reason, protocol }) => reason === "loop" && protocol === "http", "of the loop");
  });

  test("the same hello again is none, once the first connection is over", async (t) => {
    const hello = helloFor("good.test");
    for (let turn = 0; turn < 3; turn++) {
      const client = await sendFirst(t, proxy.endpoint, hello);
      await client.receiveText("origin");
      client.finish();
      await client.untilEnd();
      assert.equal((await proxy.recordOf(client)).reason, "ok");
    }
  });

  test("selfAddresses: what a NAT would send back is not dialled", async (t) => {
    assert.equal(alertIn(await ask(t, helloFor("nat.test"))), "access_denied");
    const record = await proxy.waitForRecord(({ serverName }) => serverName === "nat.test", "of nat.test");
    assert.deepEqual([record.reason, /selfAddresses/.test(record.detail ?? "")], ["address_refused", true]);
  });

  test("an address that a proxy tool made up is named as such", async (t) => {
    await ask(t, helloFor("made-up.test"));
    const record = await proxy.waitForRecord(({ serverName }) => serverName === "made-up.test", "of made-up.test");
    assert.equal(record.reason, "address_refused");
    assert.match(record.detail ?? "", /198\.18\.0\.9: .*fake-IP.*resolver\.servers/);
  });
});
