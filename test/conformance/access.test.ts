/** Who may connect: lists of a listener are asked on accept, a route's once the name is known; a dry run only tells. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { before, test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { alertIn, helloFor } from "./harness/hello.ts";
import { echo, type Origin, startOrigin, temporaryDirectory } from "./harness/origin.ts";
import { freshAddress, type Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, suiteScope } from "./harness/waiting.ts";

/** The same each time. */
const helloOf = (host: string): Buffer => helloFor(host, { random: new Uint8Array(32) });

/** Of 127.5.0.0/16, which the lists are about, and of 127.6.0.0/16, which they do not name. */
const INSIDE = 5;
const OUTSIDE = 6;
const PROXY = 7;

forEachCombination((combination) => {
  const scope = suiteScope();
  let origin: Origin;
  let proxy: RunningProxy;

  before(async () => {
    origin = await startOrigin(scope, { accept: echo });
    const directory = temporaryDirectory(scope);
    const inside = [`127.${INSIDE}.0.0/16`];
    const address = "127.0.0.1:0";
    const to = origin.address;
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [
          { address, allow: inside },
          { address, deny: inside },
          { address, access: ["deny 127.5.200.5", "allow 127.5.0.0/16", "deny all"] },
          { address, allow: inside, protocol: "http" },
          { address, allow: ["192.0.2.0/24"], proxyProtocol: true, trustedProxies: [`127.${PROXY}.0.0/16`] },
          { address, deny: inside, dryRun: true },
          { address },
          { address: `unix:${directory}/open.sock`, allow: ["unix:"] },
          { address: `unix:${directory}/shut.sock`, allow: ["127.0.0.0/8"] },
        ],
        routes: {
          "plain.test": to,
          "allow.test": { to, allow: inside },
          "deny.test": { to, deny: inside },
          "both.test": { to, allow: ["127.5.0.0/16", "127.6.0.0/16"], deny: inside },
          "dry.test": { to, deny: inside, dryRun: true },
          default: { to, allow: inside },
        },
      },
    });
  });

  const from = (t: Scope, listener: number, network: number, host: string): Promise<Peer> =>
    sendFirst(t, proxy.endpoints[listener] ?? "", helloOf(host), freshAddress(network));

  async function assertServed(client: Peer, host: string): Promise<void> {
    const hello = helloOf(host);
    assert.deepEqual(await client.receive(hello.length), hello);
    client.finish();
    await client.untilEnd();
    assert.equal((await proxy.recordOf(client)).reason, "ok");
  }

  async function assertDenied(client: Peer, route: string | undefined): Promise<void> {
    await client.untilEnd();
    assert.equal(alertIn(client.bytes), "access_denied");
    client.destroy();
    const record = await proxy.recordOf(client);
    assert.deepEqual([record.reason, record.route, record.wouldReject], ["access_denied", route, undefined]);
    assert.match(record.detail ?? "", /^127\.\d+\.\d+\.\d+ is not let in by the (listener|route)/);
  }

  for (const [what, listener, allowed, denied] of [
    ["allow", 0, INSIDE, OUTSIDE],
    ["deny", 1, OUTSIDE, INSIDE],
  ] as const) {
    test(`a listener's ${what}`, async (t) => {
      await assertServed(await from(t, listener, allowed, "plain.test"), "plain.test");
      const connections = origin.peers.length;
      await assertDenied(await from(t, listener, denied, "plain.test"), undefined);
      assert.equal(origin.peers.length, connections);
    });
  }

  test("rules in order: the first match counts", async (t) => {
    await assertServed(await from(t, 2, INSIDE, "plain.test"), "plain.test");
    await assertDenied(await from(t, 2, OUTSIDE, "plain.test"), undefined);
    const one = await sendFirst(t, proxy.endpoints[2] ?? "", helloFor("plain.test"), "127.5.200.5");
    await assertDenied(one, undefined);
  });

  for (const [host, allowed, denied] of [
    ["allow.test", INSIDE, OUTSIDE],
    ["deny.test", OUTSIDE, INSIDE],
    ["both.test", OUTSIDE, INSIDE],
    ["of-no-route.test", INSIDE, OUTSIDE],
  ] as const) {
    test(`the route of ${host}`, async (t) => {
      await assertServed(await from(t, 6, allowed, host), host);
      await assertDenied(await from(t, 6, denied, host), host === "of-no-route.test" ? "default" : host);
    });
  }

  test("HTTP: 403", async (t) => {
    const request = "GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n";
    const client = await sendFirst(t, proxy.endpoints[3] ?? "", request, freshAddress(OUTSIDE));
    await client.untilEnd();
    assert.match(client.text, /^HTTP\/1\.1 403 /);
    assert.equal((await proxy.recordOf(client)).reason, "access_denied");
  });

  test("behind a PROXY header, the client that it names is asked about", async (t) => {
    for (const [ip, reason] of [
      ["192.0.2.9", "ok"],
      ["::ffff:192.0.2.9", "ok"],
      ["198.51.100.9", "access_denied"],
    ] as const) {
      const [family, server] = ip.includes(":") ? ["TCP6", "::ffff:192.0.2.1"] : ["TCP4", "192.0.2.1"];
      const bytes = Buffer.concat([Buffer.from(`PROXY ${family} ${ip} ${server} 5 443\r\n`), helloFor("plain.test")]);
      const client = await sendFirst(t, proxy.endpoints[4] ?? "", bytes, freshAddress(PROXY));
      if (reason === "ok") await client.receive(helloFor("plain.test").length);
      client.finish();
      await client.untilEnd();
      assert.equal((await proxy.recordOf(client)).reason, reason, ip);
    }
  });

  test("a dry run serves everybody, and the log says whom it would have refused", async (t) => {
    for (const [listener, host, network, expected] of [
      [5, "plain.test", INSIDE, "access_denied"],
      [5, "plain.test", OUTSIDE, undefined],
      [6, "dry.test", INSIDE, "access_denied"],
    ] as const) {
      const client = await from(t, listener, network, host);
      await assertServed(client, host);
      assert.equal((await proxy.recordOf(client)).wouldReject, expected);
    }
  });

  test("a client of a unix socket has no address: only rules that say so let it in", async (t) => {
    const hello = helloFor("plain.test");
    const open = await sendFirst(t, proxy.endpoints[7] ?? "", hello);
    assert.deepEqual(await open.receive(hello.length), hello);
    open.destroy();
    const shut = await sendFirst(t, proxy.endpoints[8] ?? "", hello);
    await shut.untilEnd();
    assert.equal(alertIn(shut.bytes), "access_denied");
  });
});
