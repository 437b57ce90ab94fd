/** `protocol: postgres`: the server name behind PostgreSQL's request for TLS, and TLS from the first byte. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { alertIn, type HelloOptions, helloFor } from "./harness/hello.ts";
import { type Origin, startOrigin } from "./harness/origin.ts";
import { dial, type Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { suiteScope } from "./harness/waiting.ts";

/** The same each time: what a server gets is compared with it. */
const helloOf = (name: string, options: HelloOptions = {}): Buffer =>
  helloFor(name, { random: new Uint8Array(32), ...options });

const SSL_REQUEST = Buffer.from("0000000804d2162f", "hex");
const GSS_REQUEST = Buffer.from("0000000804d21630", "hex");
const CANCEL_REQUEST = Buffer.from("0000001004d2162e0000000100000002", "hex");
const STARTUP = Buffer.from("00000012000300007573657200610000", "hex");
const NAME = "db.test";

forEachCombination((combination) => {
  const scope = suiteScope();
  let server: Origin;
  let proxy: RunningProxy;

  before(async () => {
    server = await startOrigin(scope);
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0", protocol: "postgres" }],
        routes: { [NAME]: server.address, "header.test": "header", "via.test": "via" },
        upstreams: {
          header: { servers: [server.address, server.address], proxyProtocol: "v1" },
          via: { servers: ["hidden.invalid:5432"], via: `http://${server.address}`, proxyProtocol: "v1" },
        },
        timeouts: { preread: "2s", connect: "2s" },
      },
    });
  });

  /** A client that was promised TLS and has sent its hello. */
  async function promised(t: Parameters<typeof dial>[0], name: string): Promise<Peer> {
    const client = await sendFirst(t, proxy.endpoint, SSL_REQUEST);
    assert.equal((await client.receive(1)).toString("latin1"), "S");
    return client.send(helloOf(name));
  }

  async function finish(client: Peer, peer: Peer): Promise<void> {
    client.finish();
    assert.equal(await peer.untilEnd(), "fin");
    peer.finish();
    assert.equal(await client.untilEnd(), "fin");
  }

  test("SSLRequest: S for the client, the same question for the server, then the client's own TLS", async (t) => {
    const hello = helloOf(NAME);
    const client = await promised(t, NAME);
    const peer = await server.next();
    assert.deepEqual(await peer.receive(8), SSL_REQUEST);
    peer.send("S");
    await peer.receive(8 + hello.length);
    peer.send("ServerHello");
    await client.receiveText("ServerHello");
    await finish(client, peer);
    assert.deepEqual(peer.bytes, Buffer.concat([SSL_REQUEST, hello]));
    assert.equal(client.text, "SServerHello");
    const record = await proxy.recordOf(client);
    assert.deepEqual([record.reason, record.protocol, record.serverName], ["ok", "postgres", NAME]);
    assert.deepEqual([record.bytesReceived, record.bytesSent], [8 + hello.length, client.length]);
  });

  test("GSSENCRequest first, byte by byte: N, and then as ever", async (t) => {
    const client = await dial(t, proxy.endpoint);
    for (const byte of GSS_REQUEST) client.send(Uint8Array.of(byte));
    await client.receiveText("N");
    for (const byte of SSL_REQUEST) client.send(Uint8Array.of(byte));
    await client.receiveText("NS");
    client.send(helloOf(NAME));
    const peer = await server.next();
    await peer.receive(8);
    peer.send("S");
    await peer.receive(9);
    await finish(client, peer);
    assert.equal((await proxy.recordOf(client)).reason, "ok");
  });

  test("TLS from the first byte: the server is asked for nothing", async (t) => {
    const hello = helloOf(NAME, { alpn: ["postgresql"] });
    const client = await sendFirst(t, proxy.endpoint, hello);
    const peer = await server.next();
    assert.deepEqual(await peer.receive(hello.length), hello);
    await finish(client, peer);
    assert.deepEqual(peer.bytes, hello);
    assert.equal((await proxy.recordOf(client)).reason, "ok");
  });

  test("a server without TLS is one that cannot be used: the next one, with the PROXY header in front", async (t) => {
    const client = await promised(t, "header.test");
    const first = await server.next();
    await first.receiveText("\0\0\0\x08");
    assert.match(first.text, /^PROXY TCP4 [^\r]+\r\n/);
    first.send("N");
    const second = await server.next();
    await second.receiveText("\0\0\0\x08");
    second.send("E\0\0\0\x09SFATAL\0\0");
    await client.untilEnd();
    assert.equal(alertIn(client.bytes.subarray(1)), "internal_error");
    const { reason, upstream, detail } = await proxy.recordOf(client);
    const refused = `${server.address} (tls_refused)`;
    assert.deepEqual([reason, upstream], ["tls_refused", [refused, refused]]);
    assert.equal(detail, "the server answered with an error");
  });

  test("through a proxy: CONNECT, PROXY header, SSLRequest, hello", async (t) => {
    const hello = helloOf("via.test");
    const client = await promised(t, "via.test");
    const peer = await server.next();
    await peer.receiveText("CONNECT hidden.invalid:5432 HTTP/1.1\r\nHost: hidden.invalid:5432\r\n\r\n");
    const asked = peer.length;
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    await peer.receiveText("\0\0\0\x08");
    peer.send("S");
    await peer.receiveText(hello.toString("latin1"));
    assert.match(peer.bytes.subarray(asked, -hello.length - 8).toString(), /^PROXY TCP4 [^\r]+\r\n$/);
    await finish(client, peer);
    assert.equal((await proxy.recordOf(client)).reason, "ok");
  });

  test("bytes in the clear behind the server's S never reach the client", async (t) => {
    const client = await promised(t, NAME);
    const peer = await server.next();
    await peer.receive(8);
    peer.send("SR\0\0\0\x08\0\0\0\0");
    await client.untilEnd();
    assert.equal(alertIn(client.bytes.subarray(1)), "internal_error");
    const { reason, detail } = await proxy.recordOf(client);
    assert.equal(reason, "tls_refused");
    assert.match(detail ?? "", /in the clear behind its promise of TLS/);
  });

  for (const [what, bytes] of [
    ["SSLRequest", SSL_REQUEST],
    ["GSSENCRequest", GSS_REQUEST],
  ] as const) {
    test(`bytes in the clear behind an ${what} are refused`, async (t) => {
      const client = await sendFirst(t, proxy.endpoint, Buffer.concat([bytes, helloOf(NAME)]));
      await client.untilEnd();
      assert.equal(client.length, 0);
      const { reason, detail } = await proxy.recordOf(client);
      assert.deepEqual(
        [reason, detail?.replace(/ \(.*/, "")],
        ["malformed_prelude", "bytes in the clear behind a request for encryption"],
      );
    });
  }

  for (const [what, bytes, hint] of [
    ["a startup message", STARTUP, /sslmode=require/],
    ["a cancel request", CANCEL_REQUEST, /libpq 17/],
  ] as const) {
    test(`${what} in the clear gets an ErrorResponse`, async (t) => {
      const client = await sendFirst(t, proxy.endpoint, bytes);
      await client.untilEnd();
      assert.equal(client.text[0], "E");
      assert.equal(client.bytes.readUInt32BE(1), client.length - 1);
      assert.match(client.text, hint);
      assert.equal((await proxy.recordOf(client)).reason, "tls_required");
    });
  }

  test("other names and other protocols", async (t) => {
    const unknown = await promised(t, "other.test");
    await unknown.untilEnd();
    assert.equal(alertIn(unknown.bytes.subarray(1)), "unrecognized_name");
    assert.equal((await proxy.recordOf(unknown)).reason, "no_route");
    const http = await sendFirst(t, proxy.endpoint, "GET / HTTP/1.1\r\nHost: db.test\r\n\r\n");
    await http.untilEnd();
    assert.equal(http.length, 0);
    assert.equal((await proxy.recordOf(http)).reason, "malformed_prelude");
    const broken = await sendFirst(t, proxy.endpoint, SSL_REQUEST);
    await broken.receive(1);
    broken.send(STARTUP);
    await broken.untilEnd();
    assert.equal(broken.length, 1);
    assert.equal((await proxy.recordOf(broken)).reason, "not_tls");
  });

  test("a client that was promised TLS and says nothing has timeouts.preread", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, SSL_REQUEST);
    await client.untilEnd();
    assert.equal(client.text, "S");
    assert.equal((await proxy.recordOf(client)).reason, "preread_timeout");
  });
});
