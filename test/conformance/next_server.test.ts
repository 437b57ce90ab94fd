/** An upstream's servers: in which order they are chosen, and who comes next when one cannot be reached. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { LogRecord } from "./harness/access_log.ts";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { alertIn, helloFor } from "./harness/hello.ts";
import { type Blackhole, greet, type Origin, refusing, startBlackhole, startOrigin } from "./harness/origin.ts";
import type { Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, suiteScope } from "./harness/waiting.ts";

const CONNECT = 1200;

forEachCombination((combination) => {
  const scope = suiteScope();
  let [a, b, c]: Origin[] = [];
  let closed: string[];
  let hole: Blackhole;
  let proxy: RunningProxy;
  let addresses: string[];

  before(async () => {
    [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => startOrigin(scope, { accept: greet(name) })));
    addresses = [a, b, c].map((origin) => origin?.address ?? "");
    closed = await Promise.all([refusing(scope), refusing(scope), refusing(scope)]);
    hole = await startBlackhole(scope);
    const [first, second, third] = addresses;
    const upstreams: Record<string, { servers: readonly unknown[] }> = {
      refused: { servers: [closed[0], closed[1], second] },
      stuck: { servers: [hole.address, second] },
      none: { servers: closed },
      missing: { servers: ["unix:/nowhere/certless.sock", second] },
      even: { servers: addresses },
      weighted: {
        servers: [
          { address: first, weight: 5 },
          { address: second, weight: 1 },
          { address: third, weight: 1 },
        ],
      },
      spared: { servers: [{ address: first }, { address: second, backup: true }] },
      rescued: {
        servers: [{ address: third, backup: true }, { address: closed[0] }, { address: closed[1] }],
      },
      resetting: { servers: [first, second] },
    };
    proxy = await startProxy(scope, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0" }],
        routes: Object.fromEntries(Object.keys(upstreams).map((name) => [`${name}.test`, name])),
        upstreams,
        timeouts: { connect: `${CONNECT}ms` },
      },
    });
  });

  async function ask(t: Scope, upstream: string): Promise<{ client: Peer; record: LogRecord }> {
    const client = await sendFirst(t, proxy.endpoint, helloFor(`${upstream}.test`));
    client.finish();
    await client.untilEnd();
    return { client, record: await proxy.recordOf(client) };
  }

  /** Who greeted, of `count` connections one after another. */
  async function greetings(t: Scope, upstream: string, count: number): Promise<string> {
    let who = "";
    for (let index = 0; index < count; index++) {
      const { client, record } = await ask(t, upstream);
      assert.equal(record.reason, "ok");
      who += client.text;
    }
    return who;
  }

  test("refused: the next one, at once", async (t) => {
    const { client, record } = await ask(t, "refused");
    assert.equal(client.text, "b");
    assert.equal(record.reason, "ok");
    assert.deepEqual(record.upstream, [`${closed[0]} (ECONNREFUSED)`, `${closed[1]} (ECONNREFUSED)`, addresses[1]]);
    assert.ok((record.connectTime ?? Infinity) < CONNECT / 3, `${record.connectTime} ms`);
  });

  test("no answer: the next one, within timeouts.connect", async (t) => {
    const { client, record } = await ask(t, "stuck");
    assert.equal(client.text, "b");
    assert.deepEqual(record.upstream, [`${hole.address} (ETIMEDOUT)`, addresses[1]]);
    const { connectTime = 0 } = record;
    assert.ok(connectTime > 200 && connectTime < CONNECT, `${connectTime} ms`);
  });

  test("a unix: socket that is not there: the next one", async (t) => {
    const { client, record } = await ask(t, "missing");
    assert.equal(client.text, "b");
    assert.equal(record.upstream?.length, 2);
    assert.match(record.upstream?.[0] ?? "", /^unix:\/nowhere\/certless\.sock \(E[A-Z]+\)$/);
  });

  test("all refuse: each is tried once, then the client is told", async (t) => {
    const { client, record } = await ask(t, "none");
    assert.equal(alertIn(client.bytes), "internal_error");
    assert.equal(record.reason, "connect_failed");
    assert.deepEqual(record.upstream?.toSorted(), closed.map((address) => `${address} (ECONNREFUSED)`).toSorted());
    assert.ok(record.duration < CONNECT, "it waited although nobody was left");
  });

  test("round robin: each in turn", async (t) => {
    assert.equal(await greetings(t, "even", 6), "abcabc");
  });

  test("weights 5, 1, 1: nginx' smooth order", async (t) => {
    assert.equal(await greetings(t, "weighted", 14), "aabacaaaabacaa");
  });

  test("a backup is left alone while another server answers", async (t) => {
    assert.equal(await greetings(t, "spared", 4), "aaaa");
  });

  test("a backup is tried when all others failed, and last; then the failing ones are passed over", async (t) => {
    const { client, record } = await ask(t, "rescued");
    assert.equal(client.text, "c");
    const refused = closed.slice(0, 2).map((address) => `${address} (ECONNREFUSED)`);
    assert.deepEqual(record.upstream?.slice(0, 2).toSorted(), refused.toSorted());
    assert.equal(record.upstream?.at(-1), addresses[2]);
    assert.deepEqual((await ask(t, "rescued")).record.upstream, [addresses[2]]);
  });

  test("a server that accepted is not replaced: the client's bytes go to one server only", async (t) => {
    const trap = a as Origin;
    const others = b?.peers.length;
    const before = trap.peers.length;
    const client = await sendFirst(t, proxy.endpoint, helloFor("resetting.test"));
    await client.receive(1);
    trap.peers[before]?.reset();
    await client.untilEnd();
    const record = await proxy.recordOf(client);
    assert.equal(record.reason, "server_reset");
    assert.deepEqual(record.upstream, [addresses[0]]);
    assert.equal(b?.peers.length, others);
  });
});
