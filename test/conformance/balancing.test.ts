/** Which server a connection gets: by load, by chance, by the hash of what is known of it; exact over two workers where it must be. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { sendFirst } from "./harness/connection.ts";
import { helloFor } from "./harness/hello.ts";
import { greet, type Origin, startOrigin } from "./harness/origin.ts";
import { freshAddress, type Peer } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, suiteScope } from "./harness/waiting.ts";

const NAMES = ["a", "b", "c"];

forEachCombination((combination) => {
  const scope = suiteScope();
  let origins: Origin[];
  let proxy: RunningProxy;

  before(async () => {
    origins = await Promise.all(NAMES.map((name) => startOrigin(scope, { accept: greet(name) })));
    const servers = origins.map(({ address }) => address);
    const [first, second, third] = servers;
    const upstreams = {
      least: { balance: "least_conn", servers },
      heavy: { balance: "least_conn", servers: [{ address: first, weight: 3 }, second] },
      two: { balance: "random two least_conn", servers },
      chance: { balance: "random", servers: [{ address: first, weight: 3 }, second] },
      byname: { balance: "hash $ssl_preread_server_name consistent", servers },
      byclient: { balance: "hash $remote_addr", servers },
      reduced: { servers: [{ address: first, down: true }, second, third] },
    };
    const routes = Object.keys(upstreams).map((name) => [`.${name}.test`, name]);
    proxy = await startProxy(scope, combination, {
      config: {
        workers: 2,
        listeners: [{ address: "127.0.0.1:0" }],
        routes: Object.fromEntries(routes),
        upstreams,
      },
    });
  });

  async function join(t: Scope, name: string, localAddress?: string): Promise<Peer> {
    const client = await sendFirst(t, proxy.endpoint, helloFor(name), localAddress);
    await client.receive(1);
    return client;
  }

  /** Who greeted each of `count` clients that come together and stay. */
  async function crowd(t: Scope, name: string, count: number): Promise<string> {
    const clients = await Promise.all(Array.from({ length: count }, () => join(t, name)));
    return clients.map(({ text }) => text).join("");
  }

  /** Ends a client, and waits until the proxy has counted that. */
  async function end(client: Peer): Promise<void> {
    client.finish();
    await client.untilEnd();
    await proxy.recordOf(client);
  }

  const share = (names: string, name: string): number => names.split(name).length - 1;

  test("least_conn over two workers: within one connection of each other, while they come and while some leave", async (t) => {
    const clients: Peer[] = [];
    for (let round = 0; round < 3; round++) {
      clients.push(...(await Promise.all(Array.from({ length: 15 }, () => join(t, "least.test")))));
      const counts = NAMES.map((name) => clients.filter(({ text }) => text === name).length);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `round ${round}: ${counts}`);
      // One server loses half of its connections: the next clients are its own.
      const leaving = clients.filter(({ text }) => text === NAMES[round]).slice(0, 3);
      await Promise.all(leaving.map(end));
      for (const client of leaving) clients.splice(clients.indexOf(client), 1);
      const filled = await Promise.all(leaving.map(() => join(t, "least.test")));
      assert.equal(filled.map(({ text }) => text).join(""), NAMES[round]?.repeat(3));
      clients.push(...filled);
    }
  });

  test("least_conn by weight", async (t) => {
    const names = await crowd(t, "heavy.test", 16);
    assert.deepEqual([share(names, "a"), share(names, "b")], [12, 4]);
  });

  test("random two least_conn: nobody is far behind", async (t) => {
    const names = await crowd(t, "two.test", 45);
    for (const name of NAMES) assert.ok(Math.abs(share(names, name) - 15) <= 8, names);
  });

  test("random: each gets some, and nobody else does", async (t) => {
    const names = await crowd(t, "chance.test", 40);
    // By chance alone one of them is left out once in 10^5 runs.
    assert.ok(share(names, "a") > share(names, "b") / 2 && share(names, "b") > 0, names);
    assert.equal(share(names, "c"), 0);
  });

  test("hash of the server name: one name, one server; names are spread", async (t) => {
    const of = (index: number) => `n${index}.byname.test`;
    const first = await Promise.all(Array.from({ length: 24 }, (_, index) => join(t, of(index))));
    const again = await Promise.all(Array.from({ length: 24 }, (_, index) => join(t, of(index))));
    assert.deepEqual(
      again.map(({ text }) => text),
      first.map(({ text }) => text),
    );
    assert.equal(new Set(first.map(({ text }) => text)).size, 3);
  });

  test("hash of the client's address: one client, one server", async (t) => {
    const addresses = Array.from({ length: 16 }, () => freshAddress());
    const first = await Promise.all(addresses.map((address) => join(t, "byclient.test", address)));
    const again = await Promise.all(addresses.map((address) => join(t, "byclient.test", address)));
    assert.deepEqual(
      again.map(({ text }) => text),
      first.map(({ text }) => text),
    );
    assert.ok(new Set(first.map(({ text }) => text)).size > 1);
  });

  test("a server that is down by configuration is never chosen; two workers share the turns", async (t) => {
    assert.equal((await crowd(t, "reduced.test", 20)).split("").toSorted().join(""), "b".repeat(10) + "c".repeat(10));
  });
});
