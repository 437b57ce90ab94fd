/** `via` and `bind`: servers reached through a proxy, by HTTP CONNECT and SOCKS5, and from an address of one's own. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { gapOf, needs } from "./harness/gaps.ts";
import { alertIn, helloFor } from "./harness/hello.ts";
import { type Origin, refusing, startOrigin, temporaryDirectory } from "./harness/origin.ts";
import type { Peer } from "./harness/peer.ts";
import { launch, type RunningProxy, startProxy } from "./harness/proxy.ts";
import { pause, suiteScope } from "./harness/waiting.ts";

const USER = "egress-user";
const PASSWORD = "pass:word-4711";
const BASIC = Buffer.from(`${USER}:${PASSWORD}`).toString("base64");
const OK = "HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n";
/** A SOCKS5 reply that all is well, with a name for the bound address. */
const SOCKS_OK = Buffer.from("0500000303616263 01bb".replace(" ", ""), "hex");

const connectTo = (server: string, credentials = ""): string =>
  `CONNECT ${server} HTTP/1.1\r\nHost: ${server}\r\n${credentials}\r\n`;

/** The other side of a SOCKS5 request that names `host`. */
function socksRequest(host: string, port: number): Buffer {
  const tail = Buffer.of(port >> 8, port & 0xff);
  return Buffer.concat([Buffer.of(5, 1, 0, 3, host.length), Buffer.from(host), tail]);
}

async function drip(peer: Peer, bytes: Uint8Array): Promise<void> {
  for (const byte of bytes) {
    peer.send(Uint8Array.of(byte));
    await pause(1);
  }
}

forEachCombination((combination) => {
  const scope = suiteScope();
  /** Plays the proxy, and behind it the server. */
  let far: Origin;
  let proxy: RunningProxy;

  before(async () => {
    far = await startOrigin(scope);
    const passwordFile = join(temporaryDirectory(scope), "password");
    writeFileSync(passwordFile, `${PASSWORD}\n`);
    const http = `http://${far.address}`;
    const named = `http://${USER}@localhost:${far.port}`;
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0" }, { address: "127.0.0.1:0", protocol: "http" }],
        routes: {
          "connect.test": { to: "direct:443", via: { url: named, passwordEnv: "EGRESS_PASSWORD" } },
          "socks.test": "socks",
          "open.test": { to: "direct:443", via: `socks5h://${far.address}` },
          "plain.test": { to: "direct:443", via: http },
          "pool.test": "pool",
          "header.test": "header",
          "dead.test": { to: "direct:443", via: `http://${await refusing(scope)}` },
        },
        upstreams: {
          socks: {
            servers: ["203.0.113.7:8443"],
            via: { url: `socks5://${USER}@${far.address}`, passwordFile },
          },
          pool: { servers: ["one.invalid:1", "[2001:db8::2]:2"], via: http },
          header: { servers: ["203.0.113.8:443"], proxyProtocol: "v1", via: http },
        },
        timeouts: { connect: "2s" },
        workers: gapOf(combination, "pauses_accepts") === undefined ? 1 : 2,
      },
      env: { EGRESS_PASSWORD: PASSWORD },
    });
  });

  async function finish(client: Peer, server: Peer): Promise<void> {
    client.finish();
    assert.equal(await server.untilEnd(), "fin");
    server.finish();
    assert.equal(await client.untilEnd(), "fin");
  }

  test("HTTP CONNECT with credentials: the proxy gets the name, the server the hello, the client what came early", async (t) => {
    const hello = helloFor("connect.test");
    const client = await sendFirst(t, proxy.endpoint, hello);
    const server = await far.next();
    const request = connectTo("connect.test:443", `Proxy-Authorization: Basic ${BASIC}\r\n`);
    assert.equal((await server.receive(request.length)).toString("latin1"), request);
    await drip(server, Buffer.from(OK.slice(0, -4)));
    server.send(`${OK.slice(-4)}early `);
    await server.receive(request.length + hello.length);
    server.send("and late");
    assert.equal(await client.receiveText("late"), "early and late");
    client.send("more");
    await finish(client, server);
    assert.deepEqual(server.bytes, Buffer.concat([Buffer.from(request), hello, Buffer.from("more")]));
    const record = await proxy.recordOf(client);
    assert.deepEqual([record.reason, record.route], ["ok", "connect.test"]);
    assert.match(record.upstream?.at(-1) ?? "", /^connect\.test:443 via (127\.0\.0\.1|\[::1\]):\d+$/);
    assert.deepEqual([record.bytesReceived, record.bytesSent], [hello.length + 4, "early and late".length]);
  });

  test("SOCKS5 with a password from a file, byte by byte, to a server given by address", async (t) => {
    const hello = helloFor("socks.test");
    const client = await sendFirst(t, proxy.endpoint, hello);
    const server = await far.next();
    const said: Buffer[] = [];
    const expect = async (bytes: Uint8Array): Promise<void> => {
      said.push(Buffer.from(bytes));
      const all = Buffer.concat(said);
      assert.deepEqual(await server.receive(all.length), all);
    };
    await expect(Buffer.of(5, 2, 0, 2));
    await drip(server, Buffer.of(5, 2));
    const credentials = [USER, PASSWORD].flatMap((text) => [text.length, ...Buffer.from(text)]);
    await expect(Uint8Array.from([1, ...credentials]));
    await drip(server, Buffer.of(1, 0));
    await expect(Buffer.of(5, 1, 0, 1, 203, 0, 113, 7, 8443 >> 8, 8443 & 0xff));
    await drip(server, SOCKS_OK);
    await expect(hello);
    server.send("welcome");
    await client.receiveText("welcome");
    await finish(client, server);
    const record = await proxy.recordOf(client);
    assert.deepEqual([record.reason, record.upstream], ["ok", [`203.0.113.7:8443 via ${far.address}`]]);
  });

  test("SOCKS5 without credentials: a megabyte comes through whole", async (t) => {
    const client = (await sendFirst(t, proxy.endpoint, helloFor("open.test"))).count();
    const server = await far.next();
    await server.receive(3);
    server.send(Buffer.of(5, 0));
    await server.receive(3 + socksRequest("open.test", 443).length);
    assert.deepEqual(server.bytes.subarray(3), socksRequest("open.test", 443));
    const body = Buffer.alloc(1 << 20, "0123456789");
    server.send(Buffer.concat([SOCKS_OK, body])).finish();
    assert.equal(await client.untilEnd(), "fin");
    assert.equal(client.length, body.length);
    client.finish();
    assert.equal((await proxy.recordOf(client)).reason, "ok");
  });

  test("HTTP clients, too", async (t) => {
    const client = await sendFirst(t, proxy.endpoints[1] ?? "", "GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n");
    const server = await far.next();
    await server.receiveText(connectTo("plain.test:443"));
    server.send(OK);
    await server.receiveText("GET / HTTP/1.1\r\nHost: plain.test\r\n");
    server.send("HTTP/1.1 204 No Content\r\n\r\n").finish();
    assert.match(await client.receiveText("\r\n\r\n"), /^HTTP\/1\.1 204/);
    client.finish();
    assert.equal((await proxy.recordOf(client)).reason, "ok");
  });

  test("a PROXY header is the server's, not the proxy's", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor("header.test"));
    const server = await far.next();
    const request = connectTo("203.0.113.8:443");
    assert.equal((await server.receive(request.length)).toString("latin1"), request);
    server.send(OK);
    await server.receiveText(`PROXY TCP4 ${client.socket.localAddress} 127.0.0.1 `);
    await finish(client, server);
    assert.equal((await proxy.recordOf(client)).reason, "ok");
  });

  test("a refusal, a lie, an early end: the next server, each through the proxy", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor("pool.test"));
    const first = await far.next();
    assert.equal(await first.receiveText("\r\n\r\n"), connectTo("one.invalid:1"));
    first.send("HTTP/1.1 503 no\x1b[31m\r\nX-Evil: yes\r\n\r\n");
    const second = await far.next();
    await first.untilEnd();
    assert.equal(await second.receiveText("\r\n\r\n"), connectTo("[2001:db8::2]:2"));
    second.finish();
    await client.untilEnd();
    assert.equal(alertIn(client.bytes), "internal_error");
    const { reason, upstream, detail } = await proxy.recordOf(client);
    const via = far.address;
    assert.deepEqual(
      [reason, upstream],
      ["connect_failed", [`one.invalid:1 via ${via} (proxy_refused)`, `[2001:db8::2]:2 via ${via} (closed)`]],
    );
    assert.equal(detail, `[2001:db8::2]:2 via ${via} closed before the way was open`);
  });

  for (const [what, reply, detail] of [
    [
      "407",
      "HTTP/1.1 407 \r\nProxy-Authenticate: Basic\r\n\r\n",
      /answered 407 \(it wants credentials, and via has none/,
    ],
    ["what is no HTTP", "SSH-2.0-x\r\n", /its reply is no HTTP/],
    ["a head without end", `HTTP/1.1 200 x\r\nA: ${"b".repeat(9000)}`, /reply longer than 8 KiB/],
  ] as const) {
    test(`${what} is a refusal`, async (t) => {
      const client = await sendFirst(t, proxy.endpoint, helloFor("plain.test"));
      (await far.next()).send(reply);
      await client.untilEnd();
      assert.equal(alertIn(client.bytes), "internal_error");
      const record = await proxy.recordOf(client);
      assert.equal(record.reason, "proxy_refused");
      assert.match(record.detail ?? "", detail);
    });
  }

  test("a proxy that stalls has as long as a server to connect, and is let go", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor("plain.test"));
    const server = await far.next();
    await server.receiveText("\r\n\r\n");
    server.send("HTTP/1.1 200");
    assert.notEqual(await server.untilEnd(), "open");
    await client.untilEnd();
    const { reason, upstream } = await proxy.recordOf(client);
    assert.deepEqual([reason, upstream], ["connect_timeout", [`plain.test:443 via ${far.address} (ETIMEDOUT)`]]);
  });

  test("a proxy that is not there", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor("dead.test"));
    await client.untilEnd();
    const { reason, upstream } = await proxy.recordOf(client);
    assert.equal(reason, "connect_failed");
    assert.match(upstream?.[0] ?? "", /^dead\.test:443 via 127\.0\.0\.1:\d+ \(ECONNREFUSED\)$/);
  });

  test("a client that breaks while the proxy thinks leaves nothing open", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor("plain.test"));
    const server = await far.next();
    await server.receiveText("\r\n\r\n");
    client.reset();
    // Seen at once, or when the relay begins: in no case does the proxy's connection stay.
    server.send(OK);
    assert.notEqual(await server.untilEnd(), "open");
    server.finish();
    assert.match((await proxy.recordOf(client)).reason, /^client_(left|reset)$|^ok$/);
  });

  test("no credential is in the log or on standard error", () => {
    const said = `${proxy.log.lines.join("\n")}\n${proxy.stderr}`;
    for (const secret of [PASSWORD, BASIC, USER]) assert.ok(!said.includes(secret), secret);
  });

  test("without its password it does not start, and says what is missing", async (t) => {
    const via = { url: `socks5://${USER}@127.0.0.1:9`, passwordEnv: "NO_SUCH_VARIABLE" };
    const config = { listeners: [{ address: "127.0.0.1:0" }], routes: { "a.test": { to: "direct", via } } };
    const failing = launch(t, combination, { config, mayFail: true });
    assert.deepEqual(await failing.waitForExit(), { code: 2, signal: null });
    assert.match(
      failing.stderr,
      /Cannot read the password of routes\.a\.test\.via from the environment variable NO_SUCH_VARIABLE: it is not set/,
    );
  });

  const bound = (address: string) => ({
    listeners: [{ address: "127.0.0.1:0" }],
    routes: { "own.test": { to: "pool", bind: "127.0.0.78" }, "pool.test": "pool" },
    upstreams: { pool: { servers: [address], bind: ["127.0.0.77", "::1"] } },
  });

  test("bind of an upstream, and of a route in its place", needs(combination, "binds"), async (t) => {
    const origin = await startOrigin(t);
    const running = await startProxy(t, combination, { config: bound(origin.address) });
    for (const [name, from] of [
      ["pool.test", "127.0.0.77"],
      ["own.test", "127.0.0.78"],
    ] as const) {
      const client = await sendFirst(t, running.endpoint, helloFor(name));
      const server = await origin.next();
      assert.equal(server.remote.replace(/:\d+$/, ""), from);
      await server.receive(1);
      await finish(client, server);
    }
  });

  if (gapOf(combination, "binds") !== undefined) {
    test("bind is refused at startup where it cannot be", async (t) => {
      const failing = launch(t, combination, { config: bound("127.0.0.1:9"), mayFail: true });
      assert.deepEqual(await failing.waitForExit(), { code: 2, signal: null });
      assert.match(failing.stderr, /Cannot set upstreams\.pool\.bind: the adapter \S+ has no way/);
      assert.match(failing.stderr, /Cannot set routes\.own\.test\.bind/);
    });
  }
});
