/** Servers that fail are passed over for a while; one that closes before its first byte is replaced by the next. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogRecord } from "./harness/access_log.ts";
import { type Combination, forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { gapOf } from "./harness/gaps.ts";
import { alertIn, helloFor } from "./harness/hello.ts";
import { greet, type Origin, refusing, startOrigin, temporaryDirectory } from "./harness/origin.ts";
import type { Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, until } from "./harness/waiting.ts";

const NAME = "pool.example.test";

function start(t: Scope, combination: Combination, upstream: Readonly<Record<string, unknown>>, more = {}) {
  return startProxy(t, combination, {
    config: {
      listeners: [{ address: "127.0.0.1:0" }, { address: "127.0.0.1:0", protocol: "http" }],
      routes: { [NAME]: "pool" },
      upstreams: { pool: upstream },
      ...more,
    },
  });
}

async function ask(t: Scope, proxy: RunningProxy): Promise<{ readonly client: Peer; readonly record: LogRecord }> {
  const client = await sendFirst(t, proxy.endpoint, helloFor(NAME));
  await client.receive(1);
  client.finish();
  return { client, record: await proxy.recordOf(client) };
}

/** Reads the hello, and then closes. */
function closing(how: "finish" | "reset"): (peer: Peer) => void {
  return (peer) => peer.socket.once("data", () => peer[how]());
}

forEachCombination((combination) => {
  test("after maxFails it is passed over, by all workers, and tried again after failTimeout", async (t) => {
    const dead = await refusing(t);
    const alive = await startOrigin(t, { accept: greet("b") });
    const servers = [{ address: dead, maxFails: 2, failTimeout: "1500ms" }, alive.address];
    const proxy = await start(t, combination, { servers }, { workers: 2 });
    const begun = performance.now();
    let tries = 0;
    for (let index = 0; index < 12; index++) {
      const { record } = await ask(t, proxy);
      assert.equal(record.reason, "ok");
      if (record.upstream?.[0] === `${dead} (ECONNREFUSED)`) tries++;
    }
    // On a machine that takes longer than failTimeout for this, it is tried once more.
    assert.ok(tries === 2 || performance.now() - begun > 1_500, `${tries} tries`);
    await proxy.waitForStderr(/upstream pool: \S+ failed \(ECONNREFUSED\) and is passed over for 1\.5 s/);
    await until("another try", async () => (await ask(t, proxy)).record.upstream?.length === 2 || undefined);
  });

  test("one that comes back is used again", async (t) => {
    const address = `unix:${temporaryDirectory(t)}/back.sock`;
    const spare = await startOrigin(t, { accept: greet("z") });
    const servers = [
      { address, failTimeout: "300ms" },
      { address: spare.address, backup: true },
    ];
    const proxy = await start(t, combination, { servers });
    const first = await ask(t, proxy);
    assert.deepEqual([first.client.text, first.record.upstream?.length], ["z", 2]);
    await startOrigin(t, { address, accept: greet("a") });
    await until("its return", async () => (await ask(t, proxy)).client.text === "a" || undefined);
    await proxy.waitForStderr(/upstream pool: \S+ is back/);
  });

  test("a single server that failed is still tried, and what becomes of it is told once", async (t) => {
    const address = `unix:${temporaryDirectory(t)}/single.sock`;
    const proxy = await start(t, combination, { servers: [address] });
    for (let index = 0; index < 3; index++) {
      const client = await sendFirst(t, proxy.endpoint, helloFor(NAME));
      const record = await proxy.recordOf(client);
      assert.deepEqual([record.reason, record.upstream?.length], ["connect_failed", 1]);
    }
    await startOrigin(t, { address, accept: greet("a") });
    assert.equal((await ask(t, proxy)).client.text, "a");
    await proxy.waitForStderr(/single\.sock is back/);
    assert.equal(proxy.stderr.split("passed over").length, 2);
  });

  for (const how of ["finish", "reset"] as const) {
    test(`closed before the first byte (${how === "finish" ? "FIN" : "RST"}): the next one gets the same bytes`, async (t) => {
      const trap = await startOrigin(t, { accept: closing(how) });
      const good = await startOrigin(t, { accept: greet("b") });
      const proxy = await start(t, combination, { servers: [trap.address, good.address] });
      const { client, record } = await ask(t, proxy);
      assert.equal(client.text, "b");
      assert.equal(record.reason, "ok");
      assert.equal(record.upstream?.length, 2);
      assert.match(record.upstream?.[0] ?? "", how === "finish" ? /closed\)$/ : /\((closed|ECONNRESET)\)$/);
      assert.deepEqual(good.peers[0]?.bytes, helloFor(NAME));
      assert.deepEqual(trap.peers[0]?.bytes, helloFor(NAME));
      await proxy.waitForStderr(/failed \(closed before its first byte\) and is passed over/);
      assert.deepEqual((await ask(t, proxy)).record.upstream, [good.address]);
      assert.deepEqual([record.bytesReceived, record.bytesSent], [helloFor(NAME).length, 1]);
    });
  }

  test("when all close on a message it is the message: nobody is passed over, and the client is told", async (t) => {
    const traps = await Promise.all([1, 2].map(() => startOrigin(t, { accept: closing("finish") })));
    const proxy = await start(t, combination, { servers: traps.map(({ address }) => address) });
    for (let index = 0; index < 2; index++) {
      const client = await sendFirst(t, proxy.endpoint, helloFor(NAME));
      await client.untilEnd();
      assert.equal(alertIn(client.bytes), "internal_error");
      const record = await proxy.recordOf(client);
      assert.equal(record.reason, "server_closed");
      assert.deepEqual(record.upstream?.toSorted(), traps.map(({ address }) => `${address} (closed)`).toSorted());
    }
    assert.doesNotMatch(proxy.stderr, /passed over/);
  });

  test("once the client has said more, its server stays", async (t) => {
    const trap = await startOrigin(t);
    const good = await startOrigin(t, { accept: greet("b") });
    const proxy = await start(t, combination, { servers: [trap.address, good.address] });
    const client = await sendFirst(t, proxy.endpoint, helloFor(NAME));
    const server = await trap.next();
    await server.receive(helloFor(NAME).length);
    client.send("more");
    await server.receiveText("more");
    server.reset();
    await client.untilEnd();
    const record = await proxy.recordOf(client);
    if (gapOf(combination, "sends_reset") === undefined) assert.equal(client.ending, "reset");
    assert.equal(record.reason, "server_reset");
    assert.deepEqual(record.upstream, [trap.address]);
    assert.equal(record.bytesReceived, helloFor(NAME).length + 4);
    assert.equal(good.peers.length, 0);
  });

  test("a client's FIN behind its hello reaches the server, whose answer still comes", async (t) => {
    const patient: Origin[] = await Promise.all(
      ["a", "b"].map((name) =>
        startOrigin(t, { accept: (peer) => void peer.socket.on("end", () => peer.send(name).finish()) }),
      ),
    );
    const proxy = await start(t, combination, { servers: patient.map(({ address }) => address) });
    const client = await sendFirst(t, proxy.endpoint, helloFor(NAME));
    client.finish();
    await client.untilEnd();
    assert.equal(client.text, "a");
    assert.equal((await proxy.recordOf(client)).reason, "ok");
  });

  test("a request is repeated where its method allows it, and no other", async (t) => {
    const trap = await startOrigin(t, { accept: closing("finish") });
    const good = await startOrigin(t, { accept: (peer) => peer.send("HTTP/1.1 204 No Content\r\n\r\n").finish() });
    const servers = [{ address: trap.address, maxFails: 0 }, good.address];
    const proxy = await start(t, combination, { servers });
    const send = async (method: string): Promise<LogRecord> => {
      const request = `${method} / HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: 0\r\n\r\n`;
      const client = await sendFirst(t, proxy.endpoints[1] ?? "", request);
      await client.untilEnd();
      client.finish();
      return proxy.recordOf(client);
    };
    assert.deepEqual((await send("GET")).upstream, [`${trap.address} (closed)`, good.address]);
    const posts = [await send("POST"), await send("POST")];
    assert.ok(posts.every(({ upstream }) => upstream?.length === 1));
    assert.ok(posts.some(({ upstream }) => upstream?.[0] === trap.address));
  });

  test("nextServer.tries: no more than so many", async (t) => {
    const dead = await Promise.all([refusing(t), refusing(t), refusing(t)]);
    const proxy = await start(t, combination, { servers: dead, nextServer: { tries: 2 } });
    const client = await sendFirst(t, proxy.endpoint, helloFor(NAME));
    assert.equal((await proxy.recordOf(client)).upstream?.length, 2);
  });
});
