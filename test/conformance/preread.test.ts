/** What comes before routing: who says nothing, too little, too much or nonsense is gone at the deadline at the latest. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { alertIn, helloFor } from "./harness/hello.ts";
import { echo, type Origin, startOrigin } from "./harness/origin.ts";
import { dial, type Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { pause, suiteScope } from "./harness/waiting.ts";

const HOST = "preread.example.test";
const ALIVE = "alive.example.test";
const PREREAD = 700;
/** Milliseconds that a deadline may be late on a busy machine. */
const LATE = 700;

forEachCombination((combination) => {
  const scope = suiteScope();
  /** Where whatever is wrongly taken for routable would arrive. */
  let origin: Origin;
  let alive: Origin;
  let proxy: RunningProxy;

  before(async () => {
    origin = await startOrigin(scope);
    alive = await startOrigin(scope, { accept: echo });
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0" }, { address: "127.0.0.1:0", protocol: "http" }],
        routes: { [ALIVE]: alive.address, default: origin.address },
        timeouts: { preread: `${PREREAD}ms` },
        limits: { prereadBytes: "4KiB" },
      },
    });
  });

  let wronglyRouted = 0;
  /** Each test answers for itself. */
  function assertNotRouted(): void {
    const count = origin.peers.length - wronglyRouted;
    wronglyRouted = origin.peers.length;
    assert.equal(count, 0, "it was routed");
  }

  /** Closed at the deadline counted from accept, however much went on until then. */
  async function assertTimedOut(client: Peer, reply: RegExp = /^$/, latest = PREREAD + LATE): Promise<void> {
    await client.untilEnd();
    const elapsed = performance.now() - client.openedAt;
    assert.match(client.text, reply);
    assert.ok(elapsed > PREREAD - 100 && elapsed < latest, `closed after ${elapsed} ms`);
    const record = await proxy.recordOf(client);
    assert.equal(record.reason, "preread_timeout");
    assert.ok(record.duration >= PREREAD && record.duration < PREREAD + LATE, `logged as ${record.duration} ms`);
    assert.equal(record.upstream, undefined);
    assertNotRouted();
  }

  for (const [protocol, index] of [
    ["tls", 0],
    ["http", 1],
  ] as const) {
    test(`${protocol}: silence`, async (t) => {
      const client = await dial(t, proxy.endpoints[index] ?? "");
      await assertTimedOut(client, /^$/, combination.silentFor + PREREAD + LATE);
      assert.equal((await proxy.recordOf(client)).bytesReceived, 0);
    });

    test(`${protocol}: a drip does not move the deadline`, async (t) => {
      const client = await dial(t, proxy.endpoints[index] ?? "");
      const bytes = protocol === "tls" ? helloFor(HOST) : Buffer.from(`GET /${"a".repeat(200)} HTTP/1.1\r\n`);
      for (let at = 0; client.ending === "open" && at < bytes.length; at++) {
        client.send(bytes.subarray(at, at + 1));
        await pause(30);
      }
      await assertTimedOut(client, protocol === "http" ? /^HTTP\/1\.1 408 / : undefined);
      assert.ok((await proxy.recordOf(client)).bytesReceived > 5, "the drip was read");
    });
  }

  test("all but the last byte, then silence", async (t) => {
    const hello = helloFor(HOST);
    const client = await sendFirst(t, proxy.endpoint, hello.subarray(0, -1));
    await assertTimedOut(client);
    assert.equal((await proxy.recordOf(client)).bytesReceived, hello.length - 1);
  });

  test("the deadline ends with the preread: a routed connection outlives it", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor(ALIVE));
    const server = await alive.next();
    await pause(PREREAD + LATE);
    client.send("still here");
    await server.receiveText("still here");
    client.finish();
    assert.equal((await proxy.recordOf(client)).reason, "ok");
  });

  const garbage: readonly (readonly [name: string, bytes: string])[] = [
    ["text", "hello there\r\n"],
    ["an HTTP request", "GET / HTTP/1.1\r\nHost: preread.example.test\r\n\r\n"],
    ["SSH", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["zeros", "\0".repeat(500)],
    ["a PROXY header where none is expected", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"],
  ];
  for (const [name, bytes] of garbage) {
    test(`${name}: closed at once, without an answer`, async (t) => {
      const client = await sendFirst(t, proxy.endpoint, bytes);
      await client.untilEnd();
      assert.ok(performance.now() - client.openedAt < PREREAD, "it took until the deadline");
      assert.equal(client.length, 0);
      const record = await proxy.recordOf(client);
      assert.equal(record.reason, "not_tls");
      assert.equal(record.upstream, undefined);
      assertNotRouted();
    });
  }

  test("a hello that is malformed: an alert", async (t) => {
    const hello = helloFor(HOST);
    // The record holds a byte behind the hello.
    const broken = Buffer.concat([hello, Buffer.of(0)]);
    broken.writeUInt16BE(hello.length - 5 + 1, 3);
    const client = await sendFirst(t, proxy.endpoint, broken);
    await client.untilEnd();
    assert.notEqual(alertIn(client.bytes), "");
    assert.doesNotMatch(alertIn(client.bytes), /^not one alert/);
    assert.equal((await proxy.recordOf(client)).reason, "malformed_hello");
    assertNotRouted();
  });

  for (const size of [6100, 5000]) {
    test(`a hello over limits.prereadBytes, ${size} bytes at a time`, async (t) => {
      const hello = helloFor(HOST, { padding: 6000 });
      const client = await dial(t, proxy.endpoint);
      for (let at = 0; at < hello.length; at += size) {
        client.send(hello.subarray(at, at + size));
        await pause(30);
      }
      await client.untilEnd();
      assert.ok(performance.now() - client.openedAt < PREREAD, "it took until the deadline");
      assert.equal((await proxy.recordOf(client)).reason, "preread_too_large");
      assertNotRouted();
    });
  }

  test("a request head over limits.prereadBytes", async (t) => {
    const client = await sendFirst(t, proxy.endpoints[1] ?? "", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(6000)}`);
    await client.untilEnd();
    assert.match(client.text, /^HTTP\/1\.1 400 /);
    assert.equal((await proxy.recordOf(client)).reason, "preread_too_large");
    assertNotRouted();
  });

  for (const [name, bytes] of [
    ["at once", ""],
    ["in the middle of the hello", helloFor(HOST).subarray(0, 60)],
  ] as const) {
    test(`FIN ${name}: closed at once, as client_left`, async (t) => {
      const client = await dial(t, proxy.endpoint);
      client.send(bytes).finish();
      await client.untilEnd();
      assert.ok(performance.now() - client.openedAt < PREREAD, "it took until the deadline");
      assert.equal(client.length, 0);
      const record = await proxy.recordOf(client);
      assert.deepEqual([record.reason, record.bytesReceived], ["client_left", bytes.length]);
      assertNotRouted();
    });
  }

  test("a client that talks on still gets the reply, and no RST that could overtake it", async (t) => {
    const client = await sendFirst(t, proxy.endpoints[1] ?? "", `BREW / HTTP/9.9\r\n${"coffee ".repeat(20_000)}`);
    assert.equal(await client.untilEnd(), "fin");
    assert.match(client.text, /^HTTP\/1\.1 400 /);
    client.finish();
    assert.equal((await proxy.recordOf(client)).reason, "malformed_request");
  });
});
