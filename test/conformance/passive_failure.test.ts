/** Servers that fail are passed over for a while; one that closes before its first byte is replaced by the next. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { LogRecord } from "./harness/access_log.ts";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { gapOf } from "./harness/gaps.ts";
import { alertIn, helloFor } from "./harness/hello.ts";
import { greet, type Origin, refusing, startOrigin, temporaryDirectory } from "./harness/origin.ts";
import type { Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, suiteScope, until } from "./harness/waiting.ts";

/** Reads the hello, and then closes. */
function closing(how: "finish" | "reset"): (peer: Peer) => void {
  return (peer) => peer.socket.once("data", () => peer[how]());
}

/** Answers when the client has finished. */
function patient(name: string): (peer: Peer) => void {
  return (peer) => void peer.socket.on("end", () => peer.send(name).finish());
}

const NO_CONTENT = "HTTP/1.1 204 No Content\r\n\r\n";

forEachCombination((combination) => {
  const scope = suiteScope();
  const origins = {} as Record<"a" | "b" | "finish" | "reset" | "silent" | "slowA" | "slowB" | "http", Origin>;
  let dead: string[];
  let returning: string;
  let single: string;
  let proxy: RunningProxy;

  before(async () => {
    const accept = {
      a: greet("a"),
      b: greet("b"),
      finish: closing("finish"),
      reset: closing("reset"),
      silent: () => {},
      slowA: patient("a"),
      slowB: patient("b"),
      http: (peer: Peer) => void peer.send(NO_CONTENT).finish(),
    };
    for (const [name, task] of Object.entries(accept)) {
      origins[name as keyof typeof accept] = await startOrigin(scope, { accept: task });
    }
    dead = await Promise.all([refusing(scope), refusing(scope), refusing(scope)]);
    const directory = temporaryDirectory(scope);
    returning = `unix:${directory}/back.sock`;
    single = `unix:${directory}/single.sock`;
    const { a, b, finish, reset, silent, slowA, slowB, http } = origins;
    const upstreams = {
      twice: { servers: [{ address: dead[0], maxFails: 2, failTimeout: "1500ms" }, b.address] },
      back: {
        servers: [
          { address: returning, failTimeout: "300ms" },
          { address: b.address, backup: true },
        ],
      },
      single: { servers: [single] },
      finish: { servers: [finish.address, b.address] },
      reset: { servers: [reset.address, b.address] },
      hated: { servers: [finish.address, reset.address] },
      talkative: { servers: [silent.address, a.address] },
      finished: { servers: [slowA.address, slowB.address] },
      http: { servers: [{ address: finish.address, maxFails: 0 }, http.address] },
      limited: { servers: dead, nextServer: { tries: 2 } },
    };
    proxy = await startProxy(scope, combination, {
      config: {
        workers: 2,
        listeners: [{ address: "127.0.0.1:0" }, { address: "127.0.0.1:0", protocol: "http" }],
        routes: Object.fromEntries(Object.keys(upstreams).map((name) => [`${name}.test`, name])),
        upstreams,
      },
    });
  });

  async function ask(
    t: Scope,
    name: string,
    hello = helloFor(`${name}.test`),
  ): Promise<{ readonly client: Peer; readonly record: LogRecord }> {
    const client = await sendFirst(t, proxy.endpoint, hello);
    await client.receive(1);
    client.finish();
    return { client, record: await proxy.recordOf(client) };
  }

  /** The record of a client that gets no server. */
  async function fail(t: Scope, name: string): Promise<LogRecord> {
    const client = await sendFirst(t, proxy.endpoint, helloFor(`${name}.test`));
    await client.untilEnd();
    assert.equal(alertIn(client.bytes), "internal_error");
    return proxy.recordOf(client);
  }

  /** What the operator was told of an upstream. */
  const told = (name: string): string[] =>
    proxy.stderr.split("\n").filter((line) => line.includes(`upstream ${name}:`));

  test("after maxFails it is passed over, by all workers, and tried again after failTimeout", async (t) => {
    const begun = performance.now();
    let tries = 0;
    for (let index = 0; index < 12; index++) {
      const { record } = await ask(t, "twice");
      assert.equal(record.reason, "ok");
      if (record.upstream?.[0] === `${dead[0]} (ECONNREFUSED)`) tries++;
    }
    // On a machine that takes longer than failTimeout for this, it is tried once more.
    assert.ok(tries === 2 || performance.now() - begun > 1_500, `${tries} tries`);
    await proxy.waitForStderr(/upstream twice: \S+ failed \(ECONNREFUSED\) and is passed over for 1\.5 s/);
    await until("another try", async () => (await ask(t, "twice")).record.upstream?.length === 2 || undefined);
  });

  test("one that comes back is used again", async (t) => {
    const first = await ask(t, "back");
    assert.deepEqual([first.client.text, first.record.upstream?.length], ["b", 2]);
    await startOrigin(t, { address: returning, accept: greet("a") });
    await until("its return", async () => (await ask(t, "back")).client.text === "a" || undefined);
    await proxy.waitForStderr(/upstream back: \S+ is back/);
  });

  test("a single server that failed is still tried, and what becomes of it is told once", async (t) => {
    for (let index = 0; index < 3; index++) {
      const record = await fail(t, "single");
      assert.deepEqual([record.reason, record.upstream?.length], ["connect_failed", 1]);
    }
    await startOrigin(t, { address: single, accept: greet("a") });
    assert.equal((await ask(t, "single")).client.text, "a");
    await proxy.waitForStderr(/upstream single: \S+ is back/);
    assert.equal(told("single").length, 2);
  });

  for (const how of ["finish", "reset"] as const) {
    test(`closed before the first byte (${how === "finish" ? "FIN" : "RST"}): the next one gets the same bytes`, async (t) => {
      const hello = helloFor(`${how}.test`);
      const { client, record } = await ask(t, how, hello);
      assert.equal(client.text, "b");
      assert.deepEqual([record.reason, record.upstream?.length], ["ok", 2]);
      assert.match(record.upstream?.[0] ?? "", how === "finish" ? /closed\)$/ : /\((closed|ECONNRESET)\)$/);
      assert.deepEqual(origins[how].peers.at(-1)?.bytes, hello);
      assert.deepEqual(origins.b.peers.at(-1)?.bytes, hello);
      assert.deepEqual([record.bytesReceived, record.bytesSent], [hello.length, 1]);
      await proxy.waitForStderr(new RegExp(`upstream ${how}: \\S+ failed \\(closed before its first byte\\)`));
      assert.deepEqual((await ask(t, how)).record.upstream, [origins.b.address]);
    });
  }

  test("when all close on a message it is the message: nobody is passed over, and the client is told", async (t) => {
    for (let index = 0; index < 2; index++) {
      const record = await fail(t, "hated");
      assert.deepEqual([record.reason, record.upstream?.length], ["server_closed", 2]);
    }
    assert.deepEqual(told("hated"), []);
  });

  test("once the client has said more, its server stays", async (t) => {
    const hello = helloFor("talkative.test");
    const client = await sendFirst(t, proxy.endpoint, hello);
    const server = await origins.silent.next();
    await server.receive(hello.length);
    client.send("more");
    await server.receiveText("more");
    server.reset();
    await client.untilEnd();
    const record = await proxy.recordOf(client);
    if (gapOf(combination, "sends_reset") === undefined) assert.equal(client.ending, "reset");
    assert.equal(record.reason, "server_reset");
    assert.deepEqual(record.upstream, [origins.silent.address]);
    assert.equal(record.bytesReceived, hello.length + 4);
    assert.equal(origins.a.peers.length, 0);
  });

  test("a client's FIN behind its hello reaches the server, whose answer still comes", async (t) => {
    const client = await sendFirst(t, proxy.endpoint, helloFor("finished.test"));
    client.finish();
    await client.untilEnd();
    assert.equal(client.text, "a");
    assert.equal((await proxy.recordOf(client)).reason, "ok");
  });

  test("a request is repeated where its method allows it, and no other", async (t) => {
    const send = async (method: string): Promise<LogRecord> => {
      const request = `${method} / HTTP/1.1\r\nHost: http.test\r\nContent-Length: 0\r\n\r\n`;
      const client = await sendFirst(t, proxy.endpoints[1] ?? "", request);
      await client.untilEnd();
      client.finish();
      return proxy.recordOf(client);
    };
    const { finish, http } = origins;
    assert.deepEqual((await send("GET")).upstream, [`${finish.address} (closed)`, http.address]);
    const posts = [await send("POST"), await send("POST")];
    assert.ok(posts.every(({ upstream }) => upstream?.length === 1));
    assert.ok(posts.some(({ upstream }) => upstream?.[0] === finish.address));
  });

  test("nextServer.tries: no more than so many", async (t) => {
    assert.equal((await fail(t, "limited")).upstream?.length, 2);
  });
});
