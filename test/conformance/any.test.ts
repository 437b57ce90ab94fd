/** `protocol: any`: TLS, HTTP, PostgreSQL by name, SSH and the rest by kind, silence by time, all on one port. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { helloFor } from "./harness/hello.ts";
import { type Origin, startOrigin } from "./harness/origin.ts";
import { dial, type Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { suiteScope } from "./harness/waiting.ts";

const SSL_REQUEST = Buffer.from("0000000804d2162f", "hex");

forEachCombination((combination) => {
  const scope = suiteScope();
  let [named, ssh, other, silent]: Origin[] = [];
  let proxy: RunningProxy;

  before(async () => {
    [named, ssh, other, silent] = await Promise.all([1, 2, 3, 4].map(() => startOrigin(scope)));
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [
          {
            address: "127.0.0.1:0",
            protocol: "any",
            ssh: ssh?.address,
            other: "rest",
            silent: silent?.address,
            silentAfter: "300ms",
          },
          { address: "127.0.0.1:0", protocol: "any" },
          { address: "127.0.0.1:0", protocol: "any", redirectToHttps: 8443 },
        ],
        routes: { "a.test": named?.address },
        upstreams: { rest: { servers: [other?.address], proxyProtocol: "v1" } },
        timeouts: { preread: "3s" },
      },
    });
  });

  async function finish(client: Peer, server: Peer): Promise<void> {
    client.finish();
    assert.equal(await server.untilEnd(), "fin");
    server.finish();
    assert.equal(await client.untilEnd(), "fin");
  }

  async function arrives(client: Peer, origin: Origin | undefined, text: string): Promise<Peer> {
    const server = await (origin as Origin).next();
    await server.receiveText(text);
    server.send("welcome");
    await client.receiveText("welcome");
    return server;
  }

  for (const [kind, first, text] of [
    ["tls", helloFor("a.test"), "a.test"],
    ["http", Buffer.from("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"), "Host: a.test"],
  ] as const) {
    test(`${kind}, by its name`, async (t) => {
      const client = await sendFirst(t, proxy.endpoint, first);
      const server = await (named as Origin).next();
      await server.receiveText(text);
      await finish(client, server);
      const record = await proxy.recordOf(client);
      assert.deepEqual([record.reason, record.protocol, record.serverName], ["ok", kind, "a.test"]);
    });
  }

  test("postgres, by its name", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, SSL_REQUEST);
    await client.receiveText("S");
    client.send(helloFor("a.test"));
    const server = await (named as Origin).next();
    await server.receive(8);
    server.send("S");
    await server.receiveText("a.test");
    await finish(client, server);
    const record = await proxy.recordOf(client);
    assert.deepEqual([record.reason, record.protocol, record.serverName], ["ok", "postgres", "a.test"]);
  });

  test("ssh, byte by byte", async (t) => {
    const client = await dial(t, proxy.endpoint);
    for (const byte of Buffer.from("SSH-2.0-OpenSSH_9.9\r\n")) client.send(Uint8Array.of(byte));
    const server = await arrives(client, ssh, "SSH-2.0-OpenSSH_9.9\r\n");
    await finish(client, server);
    assert.equal(server.text, "SSH-2.0-OpenSSH_9.9\r\n");
    const record = await proxy.recordOf(client);
    assert.deepEqual([record.reason, record.protocol, record.route], ["ok", "ssh", "ssh"]);
  });

  test("what is none of these goes to other, an upstream here", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, "EHLO there\r\n");
    const server = await arrives(client, other, "EHLO there\r\n");
    assert.match(server.text, /^PROXY TCP4 /);
    await finish(client, server);
    const record = await proxy.recordOf(client);
    assert.deepEqual([record.reason, record.protocol, record.route], ["ok", "other", "other"]);
  });

  test("a client that waits for the server to begin", async (t) => {
    const client = await dial(t, proxy.endpoint);
    const server = await (silent as Origin).next();
    server.send("220 mail.test ready\r\n");
    await client.receiveText("220 mail.test");
    client.send("EHLO x\r\n");
    await server.receiveText("EHLO x\r\n");
    await finish(client, server);
    const record = await proxy.recordOf(client);
    assert.deepEqual([record.reason, record.protocol, record.route], ["ok", "silent", "silent"]);
  });

  test("a client that has begun is not silent", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor("a.test").subarray(0, 9));
    await client.untilEnd();
    assert.equal((await proxy.recordOf(client)).reason, "preread_timeout");
  });

  for (const [what, first, kind] of [
    ["ssh", "SSH-2.0-x\r\n", "ssh"],
    ["other bytes", "\x80\x2e\x01", "other"],
  ] as const) {
    test(`${what} without a destination are closed`, async (t) => {
      const client = await sendFirst(t, proxy.endpoints[1] ?? "", first);
      await client.untilEnd();
      assert.equal(client.length, 0);
      const record = await proxy.recordOf(client);
      assert.deepEqual([record.reason, record.protocol], ["unrouted_protocol", kind]);
    });
  }

  test("http on the port of https is redirected, where that is wanted", async (t) => {
    const client = await sendFirst(t, proxy.endpoints[2] ?? "", "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert.match(await client.receiveText("\r\n\r\n"), /^HTTP\/1\.1 308 .*Location: https:\/\/a\.test:8443\/x\r\n/is);
    client.finish();
    assert.equal((await proxy.recordOf(client)).reason, "redirected");
  });
});
