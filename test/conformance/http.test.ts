/** Port 80: routed by Host, one request a connection, bodies and upgrades whole, short replies of the proxy's own. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { helloFor } from "./harness/hello.ts";
import { type Blackhole, type Origin, refusing, startBlackhole, startOrigin } from "./harness/origin.ts";
import type { Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { pause, type Scope, suiteScope } from "./harness/waiting.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
/** Long enough for bytes that must not come to come, if they were on their way. */
const SETTLE = 150;

function request(host: string, more = "", body = ""): string {
  return `GET /path?query HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n${body}`;
}

forEachCombination((combination) => {
  const scope = suiteScope();
  let [a, b]: Origin[] = [];
  let fallback: Origin;
  let hole: Blackhole;
  let proxy: RunningProxy;

  before(async () => {
    [a, b] = await Promise.all([startOrigin(scope), startOrigin(scope)]);
    fallback = await startOrigin(scope);
    hole = await startBlackhole(scope);
    const routes = {
      "a.test": a.address,
      "b.test": b.address,
      "closed.test": await refusing(scope),
      "stuck.test": hole.address,
      "no.test": "reject",
    };
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [
          { address: "127.0.0.1:0", protocol: "http" },
          { address: "127.0.0.1:0", protocol: "http", routes: { ...routes, default: fallback.address } },
          { address: "127.0.0.1:0", protocol: "http", redirectToHttps: true, routes: { default: fallback.address } },
          { address: "127.0.0.1:0", protocol: "http", redirectToHttps: 8443, routes: { default: fallback.address } },
        ],
        routes,
        timeouts: { connect: "600ms" },
      },
    });
  });

  const origin = (name: "a" | "b"): Origin => (name === "a" ? a : b) as Origin;

  /** Sends `bytes` and takes the server's end of it once its head is there. */
  async function ask(t: Scope, bytes: string, to: Origin, listener = 0): Promise<{ client: Peer; server: Peer }> {
    const client = await sendFirst(t, proxy.endpoints[listener] ?? "", bytes);
    const server = await to.next();
    await server.receiveText("\r\n\r\n");
    return { client, server };
  }

  async function reply(t: Scope, bytes: string, listener = 0): Promise<string> {
    const client = await sendFirst(t, proxy.endpoints[listener] ?? "", bytes);
    await client.untilEnd();
    assert.equal(client.ending, "fin");
    return client.text;
  }

  for (const [what, head, to] of [
    ["Host", "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", "a"],
    ["another Host", "GET / HTTP/1.1\r\nHost: b.test\r\n\r\n", "b"],
    ["Host in capitals, with a port and a dot", "GET / HTTP/1.1\r\nHost: A.Test.:8080\r\n\r\n", "a"],
    ["an absolute target", "GET http://b.test/x HTTP/1.1\r\nHost: b.test\r\n\r\n", "b"],
    ["Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: b.test\r\n\r\n", "b"],
  ] as const) {
    test(`routed by ${what}`, async (t) => {
      const { client, server } = await ask(t, head, origin(to));
      server.send(OK).finish();
      await client.untilEnd();
      assert.equal(client.text, OK);
      client.finish();
      const record = await proxy.recordOf(client);
      assert.deepEqual(
        [record.protocol, record.serverName, record.reason, record.bytesSent],
        ["http", `${to}.test`, "ok", OK.length],
      );
    });
  }

  test("HTTP/1.0 without Host goes to default", async (t) => {
    const { client, server } = await ask(t, "GET / HTTP/1.0\r\n\r\n", fallback, 1);
    server.send("HTTP/1.0 200 OK\r\n\r\nold").finish();
    await client.untilEnd();
    assert.match(client.text, /old$/);
  });

  test("the server gets the request as it was sent, but for Connection", async (t) => {
    const more =
      "X-Mixed-CASE:  spaces  \r\nCookie: a=b\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n";
    const { server } = await ask(t, request("a.test", more), origin("a"));
    assert.equal(
      server.text,
      "GET /path?query HTTP/1.1\r\nHost: a.test\r\nX-Mixed-CASE:  spaces  \r\nCookie: a=b\r\nConnection: close\r\n\r\n",
    );
  });

  for (const [how, first, behind] of [
    ["after the answer", request("a.test", "Connection: keep-alive\r\n"), ""],
    ["pipelined", request("a.test"), request("b.test")],
    ["pipelined behind a body", request("a.test", "Content-Length: 4\r\n", "body"), request("b.test")],
    [
      "pipelined behind chunks",
      request("a.test", "Transfer-Encoding: chunked\r\n", "4\r\nbody\r\n0\r\n\r\n"),
      request("b.test"),
    ],
    ["pipelined in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n", request("b.test")],
  ] as const) {
    test(`a second request never reaches the first one's server: ${how}`, async (t) => {
      const others = origin("b").peers.length;
      const { client, server } = await ask(t, first + behind, origin("a"));
      // A server that does not care for "Connection: close".
      server.send(OK);
      await client.receiveText("hello");
      client.send(request("b.test")).send(request("a.test", "X-Third: 3\r\n"));
      await pause(SETTLE);
      assert.equal(server.text.match(/HTTP\/1\.[01]\r\n/g)?.length, 1, `the server got:\n${server.text}`);
      assert.doesNotMatch(server.text, /b\.test|X-Third/);
      assert.equal(origin("b").peers.length, others, "it went to the other server, whose answer nobody can place");
      server.finish();
      client.finish();
      assert.equal((await proxy.recordOf(client)).reason, "ok");
    });
  }

  const body = Buffer.alloc(1_000_000, "certless ");
  const hash = createHash("sha256").update(body).digest("hex");

  test("a body of a given length arrives whole", async (t) => {
    const { client, server } = await ask(t, request("a.test", `Content-Length: ${body.length}\r\n`), origin("a"));
    const head = server.length;
    for (let at = 0; at < body.length; at += 77_777) client.send(body.subarray(at, at + 77_777));
    const received = await server.receive(head + body.length);
    assert.equal(createHash("sha256").update(received.subarray(head)).digest("hex"), hash);
    server.send(OK).finish();
    await client.untilEnd();
    assert.equal(client.text, OK);
  });

  test("a chunked body arrives whole, chunk by chunk, trailers included", async (t) => {
    const { client, server } = await ask(t, request("a.test", "Transfer-Encoding: chunked\r\n"), origin("a"));
    const head = server.length;
    let sent = "";
    for (let at = 0; at < 100_000; at += 9_999) {
      const data = body.toString("latin1", at, at + 9_999);
      sent += `${data.length.toString(16)}\r\n${data}\r\n`;
    }
    sent += "0\r\nX-Trailer: 1\r\n\r\n";
    for (let at = 0; at < sent.length; at += 5_000) client.send(sent.slice(at, at + 5_000));
    const received = await server.receive(head + sent.length);
    assert.equal(received.toString("latin1", head), sent);
    server.send(OK).finish();
    await client.untilEnd();
    assert.equal(client.text, OK);
  });

  test("a chunked body that breaks the rules ends the request: nothing behind it passes", async (t) => {
    const { client, server } = await ask(t, request("a.test", "Transfer-Encoding: chunked\r\n"), origin("a"));
    client.send("4\r\nbody\r\n");
    await server.receiveText("body\r\n");
    // A server that reads the size another way would find a request in what follows.
    client.send(`4 x\r\nmore\r\n0\r\n\r\n${request("b.test")}`);
    await Promise.all([client.untilEnd(), server.untilEnd()]);
    assert.doesNotMatch(server.text, /b\.test|more/);
    assert.equal((await proxy.recordOf(client)).reason, "malformed_request");
  });

  test("an answer without a length arrives whole", async (t) => {
    const { client, server } = await ask(t, request("a.test"), origin("a"));
    server.send("HTTP/1.1 200 OK\r\n\r\n").send(body).finish();
    await client.untilEnd();
    assert.ok(client.bytes.subarray(-body.length).equals(body));
  });

  test("Expect: 100-continue: the body comes when the server asks for it", async (t) => {
    const head = request("a.test", "Content-Length: 4\r\nExpect: 100-continue\r\n");
    const { client, server } = await ask(t, head, origin("a"));
    assert.match(server.text, /Expect: 100-continue/);
    server.send("HTTP/1.1 100 Continue\r\n\r\n");
    await client.receiveText("100 Continue\r\n\r\n");
    client.send("body");
    await server.receiveText("\r\n\r\nbody");
    server.send(OK).finish();
    await client.untilEnd();
    assert.equal(client.text, `HTTP/1.1 100 Continue\r\n\r\n${OK}`);
  });

  const upgrade = (protocol: string): string => request("a.test", `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`);

  test("a WebSocket: behind the 101 everything passes both ways", async (t) => {
    const { client, server } = await ask(t, upgrade("websocket"), origin("a"));
    assert.match(server.text, /Connection: .*Upgrade\r\n/i);
    assert.match(server.text, /Upgrade: websocket\r\n/);
    const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    server.send(`${switching}\x81\x02hi`);
    await client.receiveText(`${switching}\x81\x02hi`);
    // A tunnel is not HTTP: what looks like a request is data.
    client.send(`\x81\x85${request("b.test")}`);
    await server.receiveText(`\x81\x85${request("b.test")}`);
    server.send("\0".repeat(1000));
    await client.receiveText("\0".repeat(1000));
    client.finish();
    assert.equal(await server.untilEnd(), "fin");
    server.finish();
    assert.equal((await proxy.recordOf(client)).reason, "ok");
  });

  test("an upgrade that the server declines is a request like any other", async (t) => {
    const { client, server } = await ask(t, upgrade("websocket"), origin("a"));
    server.send(OK);
    await client.receiveText("hello");
    client.send(request("b.test"));
    await pause(SETTLE);
    assert.doesNotMatch(server.text, /b\.test/);
    server.finish();
    client.finish();
    await proxy.recordOf(client);
  });

  test("an upgrade to HTTP/2 is not offered to the server: its streams could be for other hosts", async (t) => {
    const { server } = await ask(t, upgrade("h2c"), origin("a"));
    assert.doesNotMatch(server.text, /h2c|Upgrade/i);
  });

  for (const [what, head, status, reason] of [
    ["no route", request("unknown.test"), 404, "no_route"],
    ["no Host in HTTP/1.0, no default", "GET / HTTP/1.0\r\n\r\n", 404, "no_server_name"],
    ["an IP address for a name", request("127.0.0.1"), 404, "no_server_name"],
    ["a route that says reject", request("no.test"), 403, "rejected"],
    ["no Host in HTTP/1.1", "GET / HTTP/1.1\r\n\r\n", 400, "malformed_request"],
    ["two Hosts", request("a.test", "Host: b.test\r\n"), 400, "malformed_request"],
    ["Host and target differ", "GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, "malformed_request"],
    ["two lengths", request("a.test", "Content-Length: 1\r\nContent-Length: 2\r\n"), 400, "malformed_request"],
    [
      "a length and chunks",
      request("a.test", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
      400,
      "malformed_request",
    ],
    ["bare line feeds", "GET / HTTP/1.1\nHost: a.test\n\n", 400, "malformed_request"],
    ["CONNECT", "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, "malformed_request"],
    ["a server that refuses", request("closed.test"), 502, "connect_failed"],
    ["a server that does not answer", request("stuck.test"), 504, "connect_timeout"],
  ] as const) {
    test(`${what}: ${status}`, async (t) => {
      const reached = [a, b].map((server) => server?.peers.length);
      const client = await sendFirst(t, proxy.endpoint, head);
      await client.untilEnd();
      assert.equal(client.ending, "fin");
      assert.match(client.text, new RegExp(`^HTTP/1\\.1 ${status} [A-Za-z ]+\r\n`));
      assert.match(client.text, /\r\nConnection: close\r\n/);
      const [, length, content] = /Content-Length: (\d+)\r\n(?:.*\r\n)*?\r\n([\s\S]*)$/.exec(client.text) ?? [];
      assert.equal(content?.length, Number(length));
      const record = await proxy.recordOf(client);
      assert.equal(record.reason, reason);
      assert.equal(record.bytesSent, client.length);
      assert.deepEqual(
        [a, b].map((server) => server?.peers.length),
        reached,
      );
    });
  }

  test("TLS on a port for HTTP is refused", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor("a.test"));
    await client.untilEnd();
    assert.equal((await proxy.recordOf(client)).reason, "malformed_request");
  });

  test("redirectToHttps: 308 to the same place", async (t) => {
    const client = await sendFirst(t, proxy.endpoints[2] ?? "", request("a.test:80"));
    await client.untilEnd();
    const text = client.text;
    assert.match(text, /^HTTP\/1\.1 308 /);
    assert.match(text, /\r\nLocation: https:\/\/a\.test\/path\?query\r\n/);
    assert.match(await reply(t, request("a.test"), 3), /\r\nLocation: https:\/\/a\.test:8443\/path\?query\r\n/);
    const { reason, bytesSent, upstream } = await proxy.recordOf(client);
    assert.deepEqual([reason, bytesSent, upstream], ["redirected", client.length, undefined]);
  });

  test("redirectToHttps: HEAD gets no body, no Host gets 400", async (t) => {
    const text = await reply(t, "HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n", 2);
    assert.match(text, /^HTTP\/1\.1 308 /);
    assert.match(text, /\r\n\r\n$/, "a body, to HEAD");
    assert.match(await reply(t, "GET / HTTP/1.0\r\n\r\n", 2), /^HTTP\/1\.1 400 /);
  });

  test("redirectToHttps: what a client writes cannot add a field to the reply", async (t) => {
    const text = await reply(t, "GET /%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: a.test\r\n\r\n", 2);
    assert.doesNotMatch(text, /^Set-Cookie/m);
    assert.match(text, /\r\nLocation: https:\/\/a\.test\/%0d%0aSet-Cookie:x\r\n/);
  });
});
