/** HAProxy's PROXY protocol, versions 1 and 2: believed from trusted peers only, and sent to servers that want it. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { alertIn, helloFor } from "./harness/hello.ts";
import { type Origin, startOrigin } from "./harness/origin.ts";
import { dial, freshAddress, type Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { pause, suiteScope } from "./harness/waiting.ts";

const V2_SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const V1 = Buffer.from("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n");
const V1_IPV6 = Buffer.from("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n");

/** A version 2 header; `command` 0x21 is PROXY, 0x20 LOCAL; `family` 0x11 is TCP over IPv4, 0x21 over IPv6. */
function v2(command: number, family: number, body: Uint8Array): Buffer {
  return Buffer.concat([V2_SIGNATURE, Buffer.of(command, family, body.length >> 8, body.length & 0xff), body]);
}

const V2_IPV4 = Buffer.of(192, 0, 2, 1, 198, 51, 100, 2, 220, 4, 1, 187);
/** Of 127.2.0.0/16. */
const TRUSTED = 2;
const UNTRUSTED = 3;

forEachCombination((combination) => {
  const scope = suiteScope();
  let [plain, wantsV1, wantsV2]: Origin[] = [];
  let proxy: RunningProxy;

  before(async () => {
    [plain, wantsV1, wantsV2] = await Promise.all([1, 2, 3].map(() => startOrigin(scope)));
    const trustedProxies = [`127.${TRUSTED}.0.0/16`];
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [
          { address: "127.0.0.1:0", proxyProtocol: true, trustedProxies },
          { address: "127.0.0.1:0" },
          { address: "127.0.0.1:0", protocol: "http", proxyProtocol: true, trustedProxies },
        ],
        routes: { "plain.test": plain?.address, "v1.test": "v1", "v2.test": "v2", "tlv.test": "tlv" },
        upstreams: {
          v1: { servers: [wantsV1?.address], proxyProtocol: "v1" },
          v2: { servers: [wantsV2?.address], proxyProtocol: "v2" },
          tlv: {
            servers: [wantsV2?.address],
            proxyProtocol: { authority: true, alpn: true, uniqueId: true, checksum: true },
          },
        },
        timeouts: { preread: "1s" },
      },
    });
  });

  const trusted = (t: Parameters<typeof dial>[0], bytes: Uint8Array, listener = 0): Promise<Peer> =>
    sendFirst(t, proxy.endpoints[listener] ?? "", bytes, freshAddress(TRUSTED));

  async function finish(client: Peer, server: Peer): Promise<void> {
    client.finish();
    assert.equal(await server.untilEnd(), "fin");
    server.finish();
  }

  const TCP = { client: "192.0.2.1:56324" };
  for (const [what, header, expected] of [
    ["version 1", V1, TCP],
    ["version 1, IPv6", V1_IPV6, { client: "[2001:db8::1]:56324" }],
    ["version 1, UNKNOWN", Buffer.from("PROXY UNKNOWN whatever\r\n"), {}],
    ["version 2", v2(0x21, 0x11, V2_IPV4), TCP],
    [
      "version 2, IPv6",
      v2(0x21, 0x21, Buffer.from(`${`20010db8${"00".repeat(11)}01`.repeat(2)}dc0401bb`, "hex")),
      { client: "[2001:db8::1]:56324" },
    ],
    ["version 2 with TLVs", v2(0x21, 0x11, Buffer.concat([V2_IPV4, Buffer.of(4, 0, 3, 1, 2, 3)])), TCP],
    ["version 2, LOCAL", v2(0x20, 0x00, Buffer.alloc(0)), {}],
  ] as const) {
    test(`${what}, from a trusted peer: the client is who it says, and the server gets the hello alone`, async (t) => {
      const hello = helloFor("plain.test");
      const client = await trusted(t, Buffer.concat([header, hello]));
      const server = await (plain as Origin).next();
      assert.deepEqual(await server.receive(hello.length), hello);
      await finish(client, server);
      assert.deepEqual(server.bytes, hello);
      const record = await proxy.recordOf(client);
      assert.equal(record.reason, "ok");
      assert.equal(record.client, "client" in expected ? expected.client : client.local);
      assert.equal(record.peer ?? record.client, client.local);
    });
  }

  test("byte by byte", async (t) => {
    const hello = helloFor("plain.test");
    const client = await dial(t, proxy.endpoint, { localAddress: freshAddress(TRUSTED) });
    for (const byte of V1.subarray(0, 20)) {
      client.send(Uint8Array.of(byte));
      await pause(2);
    }
    client.send(Buffer.concat([V1.subarray(20), hello]));
    const server = await (plain as Origin).next();
    assert.deepEqual(await server.receive(hello.length), hello);
    await finish(client, server);
    assert.equal((await proxy.recordOf(client)).client, TCP.client);
  });

  test("an untrusted peer is refused before it says anything", async (t) => {
    const connections = plain?.peers.length;
    const client = await sendFirst(
      t,
      proxy.endpoint,
      Buffer.concat([V1, helloFor("plain.test")]),
      freshAddress(UNTRUSTED),
    );
    await client.untilEnd();
    assert.equal(client.length, 0);
    const record = await proxy.recordOf(client);
    assert.deepEqual([record.reason, record.client], ["untrusted_peer", client.local]);
    assert.equal(plain?.peers.length, connections);
  });

  for (const [what, bytes, reason] of [
    ["no header", helloFor("plain.test"), "malformed_proxy_header"],
    ["a broken version 1", Buffer.from("PROXY TCP4 999.0.2.1 192.0.2.2 1 2\r\n"), "malformed_proxy_header"],
    ["a version 1 without end", Buffer.from(`PROXY TCP4 ${"1".repeat(200)}`), "malformed_proxy_header"],
    ["version 3", v2(0x31, 0x11, V2_IPV4), "malformed_proxy_header"],
    ["addresses cut short", v2(0x21, 0x11, V2_IPV4.subarray(0, 8)), "malformed_proxy_header"],
    ["a header, then no TLS", Buffer.concat([V1, Buffer.from("GET / HTTP/1.1\r\n\r\n")]), "not_tls"],
    ["two headers", Buffer.concat([V1, V1, helloFor("plain.test")]), "not_tls"],
  ] as const) {
    test(`${what}: refused, and not routed`, async (t) => {
      const connections = plain?.peers.length;
      const client = await trusted(t, bytes);
      await client.untilEnd();
      assert.equal(client.length, 0);
      assert.equal((await proxy.recordOf(client)).reason, reason);
      assert.equal(plain?.peers.length, connections);
    });
  }

  test("a header alone is a preread that never ends", async (t) => {
    const client = await trusted(t, V1);
    await client.untilEnd();
    const record = await proxy.recordOf(client);
    assert.deepEqual([record.reason, record.client], ["preread_timeout", TCP.client]);
  });

  test("where none is expected, a header is no TLS", async (t) => {
    const client = await trusted(t, Buffer.concat([V1, helloFor("plain.test")]), 1);
    await client.untilEnd();
    const record = await proxy.recordOf(client);
    assert.deepEqual([record.reason, record.client], ["not_tls", client.local]);
  });

  test("in front of HTTP", async (t) => {
    const client = await trusted(t, Buffer.concat([V1, Buffer.from("GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n")]), 2);
    const server = await (plain as Origin).next();
    assert.match(await server.receiveText("\r\n\r\n"), /^GET \/ HTTP\/1\.1\r\nHost: plain\.test\r\n/);
    server.send("HTTP/1.1 204 No Content\r\n\r\n").finish();
    await client.untilEnd();
    client.finish();
    assert.equal((await proxy.recordOf(client)).client, TCP.client);
  });

  test("sent as version 1: the client and where it connected to, then the hello", async (t) => {
    const hello = helloFor("v1.test");
    const client = await sendFirst(t, proxy.endpoints[1] ?? "", hello);
    const server = await (wantsV1 as Origin).next();
    const { localAddress, localPort, remotePort } = client.socket;
    const line = `PROXY TCP4 ${localAddress} 127.0.0.1 ${localPort} ${remotePort}\r\n`;
    const expected = Buffer.concat([Buffer.from(line), hello]);
    assert.deepEqual(await server.receive(expected.length), expected);
    client.send("more");
    await server.receiveText("more");
    await finish(client, server);
    assert.deepEqual(server.bytes, Buffer.concat([expected, Buffer.from("more")]));
    const record = await proxy.recordOf(client);
    // What the proxy adds is not the client's.
    assert.equal(record.bytesReceived, hello.length + "more".length);
  });

  test("sent as version 2", async (t) => {
    const hello = helloFor("v2.test");
    const client = await sendFirst(t, proxy.endpoints[1] ?? "", hello);
    const server = await (wantsV2 as Origin).next();
    const source = (client.socket.localAddress ?? "").split(".").map(Number);
    const ports = Buffer.alloc(4);
    ports.writeUInt16BE(client.socket.localPort ?? 0, 0);
    ports.writeUInt16BE(client.socket.remotePort ?? 0, 2);
    const expected = Buffer.concat([v2(0x21, 0x11, Buffer.concat([Buffer.of(...source, 127, 0, 0, 1), ports])), hello]);
    assert.deepEqual(await server.receive(expected.length), expected);
    await finish(client, server);
    assert.deepEqual(server.bytes, expected);
  });

  /** Types and values of the TLVs behind the addresses of a version 2 header over IPv4. */
  function tlvsOf(header: Buffer): Map<number, string> {
    const found = new Map<number, string>();
    for (let at = 28; at < header.length; ) {
      const end = at + 3 + header.readUInt16BE(at + 1);
      found.set(header[at]!, header.toString("latin1", at + 3, end));
      at = end;
    }
    return found;
  }

  for (const [alpn, told] of [
    [["h2"], "h2"],
    [["h2", "http/1.1"], undefined],
    [[], undefined],
  ] as const) {
    test(`sent as version 2 with TLVs, of a client that offers ${alpn.length} protocols`, async (t) => {
      const hello = helloFor("tlv.test", alpn.length === 0 ? {} : { alpn });
      const client = await sendFirst(t, proxy.endpoints[1] ?? "", hello);
      const server = await (wantsV2 as Origin).next();
      const length = 16 + (await server.receive(16)).readUInt16BE(14);
      const header = (await server.receive(length + hello.length)).subarray(0, length);
      assert.deepEqual(server.bytes.subarray(length), hello);
      const tlvs = tlvsOf(header);
      assert.equal(tlvs.get(1), told);
      assert.equal(tlvs.get(2), "tlv.test");
      await finish(client, server);
      // The id is how the server's log and this one are joined.
      const { uniqueId } = await proxy.recordOf(client);
      assert.match(uniqueId ?? "", /^[0-9a-f]+-[0-9a-f]+$/);
      assert.equal(tlvs.get(5), uniqueId);
      // Where a checksum is sent it is the last, and certless itself would check it.
      assert.equal([...tlvs.keys()].at(-1), 3);
      const again = await trusted(t, Buffer.concat([header, helloFor("plain.test")]));
      const origin = await (plain as Origin).next();
      await origin.receive(1);
      await finish(again, origin);
      assert.equal((await proxy.recordOf(again)).reason, "ok");
    });
  }

  for (const [host, received, expected] of [
    ["v1.test", v2(0x21, 0x11, V2_IPV4), V1],
    ["v2.test", V1, v2(0x21, 0x11, V2_IPV4)],
  ] as const) {
    test(`received and sent on to ${host}: the first client's addresses`, async (t) => {
      const hello = helloFor(host);
      const client = await trusted(t, Buffer.concat([received, hello]));
      const server = await ((host === "v1.test" ? wantsV1 : wantsV2) as Origin).next();
      assert.deepEqual(await server.receive(expected.length + hello.length), Buffer.concat([expected, hello]));
      await finish(client, server);
      assert.equal((await proxy.recordOf(client)).client, TCP.client);
    });
  }

  test("a name that is not routed is refused as ever", async (t) => {
    const client = await trusted(t, Buffer.concat([V1, helloFor("other.test")]));
    await client.untilEnd();
    assert.equal(alertIn(client.bytes), "unrecognized_name");
    assert.equal((await proxy.recordOf(client)).client, TCP.client);
  });
});
