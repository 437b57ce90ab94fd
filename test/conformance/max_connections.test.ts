/** A server's maxConnections, exact over two workers: other servers, a place in the line, or a reason why not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Combination, forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { alertIn, helloFor } from "./harness/hello.ts";
import { greet, startOrigin } from "./harness/origin.ts";
import type { Peer } from "./harness/peer.ts";
import { startProxy } from "./harness/proxy.ts";
import type { Scope } from "./harness/waiting.ts";

const NAME = "pool.example.test";

async function world(t: Scope, combination: Combination, max: number, options: Readonly<Record<string, unknown>> = {}) {
  const origin = await startOrigin(t, { accept: greet("a") });
  const spare = await startOrigin(t, { accept: greet("z") });
  const { backup = false, ...upstream } = options;
  const servers: unknown[] = [{ address: origin.address, maxConnections: max }];
  if (backup === true) servers.push({ address: spare.address, backup: true });
  const proxy = await startProxy(t, combination, {
    config: {
      workers: 2,
      listeners: [{ address: "127.0.0.1:0" }],
      routes: { [NAME]: "pool" },
      upstreams: { pool: { servers, ...upstream } },
    },
  });
  const ask = (): Promise<Peer> => sendFirst(t, proxy.endpoint, helloFor(NAME));
  const join = async (): Promise<Peer> => {
    const client = await ask();
    await client.receive(1);
    return client;
  };
  return { origin, spare, proxy, ask, join };
}

forEachCombination((combination) => {
  test("many at once: exactly so many get through, the others are told why; then there is room again", async (t) => {
    const { origin, proxy, ask, join } = await world(t, combination, 5);
    const clients = await Promise.all(Array.from({ length: 20 }, ask));
    await proxy.log.changes.until(
      () => `15 rejections; there are ${proxy.log.records.length}`,
      () => (proxy.log.records.length === 15 ? true : undefined),
    );
    for (const record of proxy.log.records) {
      assert.equal(record.reason, "upstream_busy");
      assert.equal(record.detail, `${origin.address} has 5 of 5 connections`);
      assert.equal(record.upstream, undefined);
    }
    const served = clients.filter((client) => proxy.log.recordsOf(client).length === 0);
    for (const client of served) await client.receive(1);
    const refused = clients.filter((client) => !served.includes(client));
    for (const client of refused) {
      await client.untilEnd();
      assert.equal(alertIn(client.bytes), "internal_error");
    }
    assert.equal(origin.peers.length, 5);
    const [leaving] = served;
    assert.ok(leaving);
    leaving.finish();
    await proxy.recordOf(leaving);
    await join();
    const late = await ask();
    assert.equal((await proxy.recordOf(late)).reason, "upstream_busy");
  });

  test("a backup takes what a full server cannot", async (t) => {
    const { origin, spare, join } = await world(t, combination, 2, { backup: true });
    const texts = [await join(), await join(), await join(), await join()].map(({ text }) => text);
    assert.equal(texts.join(""), "aazz");
    assert.deepEqual([origin.peers.length, spare.peers.length], [2, 2]);
  });

  test("the line: first come, first served, as servers free up; a full one turns clients away", async (t) => {
    const { proxy, ask, join } = await world(t, combination, 1, { queue: { size: 4, timeout: "60s" } });
    let holder = await join();
    const waiting: Peer[] = [];
    for (let index = 0; index < 4; index++) {
      waiting.push(await ask());
      // Which worker a client meets, nobody knows; that it waits there shows in the next one's place only.
      await settled(t, proxy.endpoint);
    }
    const late = await ask();
    assert.equal((await proxy.recordOf(late)).reason, "upstream_busy");
    for (const next of waiting) {
      assert.equal(next.length, 0);
      holder.finish();
      await next.receive(1);
      holder = next;
    }
    holder.finish();
    for (const client of waiting) assert.equal((await proxy.recordOf(client)).reason, "ok");
  });

  test("a client whose hello one server does not like, and who waits for the other, keeps nobody waiting", async (t) => {
    const hangUp = (peer: Peer): void => void peer.socket.once("data", () => peer.destroy());
    const strict = await startOrigin(t, {
      accept: (peer, { peers }) => (peers.length === 2 ? hangUp(peer) : greet("s")(peer)),
    });
    const full = await startOrigin(t, { accept: greet("f") });
    const proxy = await startProxy(t, combination, {
      config: {
        workers: 2,
        listeners: [{ address: "127.0.0.1:0" }],
        routes: { [NAME]: "pool" },
        upstreams: {
          pool: {
            servers: [strict.address, { address: full.address, maxConnections: 1 }],
            queue: { size: 4, timeout: "10m" },
          },
        },
      },
    });
    const ask = (): Promise<Peer> => sendFirst(t, proxy.endpoint, helloFor(NAME));
    const holders = [await ask(), await ask()];
    for (const holder of holders) await holder.receive(1);
    const disliked = await ask();
    await strict.next();
    await (await strict.next()).untilEnd();
    await settled(t, proxy.endpoint);
    for (const client of [await ask(), await ask()]) assert.equal((await client.receive(1)).toString(), "s");
    holders.find(({ text }) => text === "f")!.finish();
    assert.equal((await disliked.receive(1)).toString(), "f");
  });

  test("a client that leaves the line, and one that waits too long", async (t) => {
    const { proxy, ask, join } = await world(t, combination, 1, { queue: { size: 4, timeout: "900ms" } });
    const holder = await join();
    const patient = await ask();
    const record = await proxy.recordOf(patient);
    assert.equal(record.reason, "queue_timeout");
    assert.ok(record.duration >= 850, `${record.duration} ms`);
    await patient.untilEnd();
    assert.equal(alertIn(patient.bytes), "internal_error");
    const leaving = await ask();
    await settled(t, proxy.endpoint);
    leaving.reset();
    assert.match((await proxy.recordOf(leaving)).reason, /^(client_left|queue_timeout)$/);
    holder.finish();
    await proxy.recordOf(holder);
    await join();
  });
});

/** Both workers have served a client that came later: what came before has been read. */
async function settled(t: Scope, endpoint: string): Promise<void> {
  for (let index = 0; index < 6; index++) {
    const client = await sendFirst(t, endpoint, helloFor("nobody.example.test"));
    await client.untilEnd();
  }
}
