/** Ten thousand clients of the worst kinds: each gets its one line, and afterwards nothing of them is left. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MIB } from "../conformance/harness/bulk.ts";
import { type Combination, forEachCombination } from "../conformance/harness/combinations.ts";
import { needs } from "../conformance/harness/gaps.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { greet, startBlackhole, startOrigin } from "../conformance/harness/origin.ts";
import { dial, type Peer } from "../conformance/harness/peer.ts";
import { type RunningProxy, startProxy } from "../conformance/harness/proxy.ts";
import { pause, type Scope, until } from "../conformance/harness/waiting.ts";

const TOTAL = 10_000;
const BATCH = 500;
const PREREAD = 600;
const CONNECT = 300;
/** Resident memory that may stay behind after all of them: allocators and compiled code, not connections. */
const RESIDUE = 24 * MIB;
const HELLO = helloFor("served.test");

interface Kind {
  readonly name: string;
  /** What it does once it is connected; ends when it has no more to do. */
  readonly act: (client: Peer) => Promise<void> | void;
  readonly reasons: readonly string[];
}

const SERVED: Kind = {
  name: "reset under way",
  act: async (client) => {
    client.send(HELLO);
    await client.receiveText("hi");
    client.reset();
  },
  reasons: ["client_reset"],
};

const QUICK: readonly Kind[] = [
  { name: "garbage", act: (client) => void client.send("\x7fgarbage\0".repeat(50)), reasons: ["not_tls"] },
  { name: "silence", act: () => {}, reasons: ["preread_timeout"] },
  { name: "drip", act: drip, reasons: ["preread_timeout"] },
  {
    name: "reset",
    act: (client) => {
      client.send(HELLO.subarray(0, 50)).reset();
    },
    reasons: ["client_left"],
  },
  {
    name: "a name that nobody else asks for",
    act: (client) => void client.send(helloFor(`n${client.local.replaceAll(/\D/g, "-")}.test`)),
    reasons: ["no_route"],
  },
  SERVED,
];

const STUCK: Kind = {
  name: "a connect that never finishes",
  act: (client) => void client.send(helloFor("stuck.test")),
  reasons: ["connect_timeout"],
};

async function drip(client: Peer): Promise<void> {
  for (let at = 0; client.ending === "open" && at < HELLO.length; at++) {
    client.send(HELLO.subarray(at, at + 1));
    await pause(50);
  }
}

class Crowd {
  readonly #proxy: RunningProxy;
  /** By the client's endpoint. */
  readonly #kinds = new Map<string, Kind>();

  constructor(proxy: RunningProxy) {
    this.#proxy = proxy;
  }

  get count(): number {
    return this.#kinds.size;
  }

  /** All at once, and then all served: whoever came before the last one has been accepted. */
  async batch(kinds: readonly Kind[], size: number): Promise<void> {
    const open: Peer[] = [];
    try {
      const members = Array.from({ length: size - 1 }, (_, index) => kinds[index % kinds.length] as Kind);
      const clients = await Promise.all(members.map((kind) => this.#join(kind, open)));
      await SERVED.act(await this.#join(SERVED, open));
      await Promise.all(
        clients.map(async (client, index) => {
          await members[index]?.act(client);
          if (!client.closed) await client.untilEnd();
        }),
      );
    } finally {
      for (const client of open) client.destroy();
    }
  }

  async #join(kind: Kind, open: Peer[]): Promise<Peer> {
    const client = await dial({ after: () => {} }, this.#proxy.endpoint);
    open.push(client);
    this.#kinds.set(client.local, kind);
    return client;
  }

  /** Every connection has one line, with a reason of its kind. */
  async assertLogged(): Promise<void> {
    await this.#proxy.waitForCount(this.count);
    const { records } = this.#proxy.log;
    assert.equal(records.length, this.count);
    const reasons = new Map(records.map((record) => [record.client, record.reason]));
    for (const [local, kind] of this.#kinds) {
      const reason = reasons.get(local);
      assert.ok(
        reason !== undefined && kind.reasons.includes(reason),
        `${kind.name}: ${local} was logged as ${reason}`,
      );
    }
  }
}

async function start(t: Scope, combination: Combination, stuck: string): Promise<RunningProxy> {
  const origin = await startOrigin(t, { accept: greet("hi") });
  return await startProxy(t, combination, {
    env: combination.smallHeap,
    config: {
      listeners: [{ address: "127.0.0.1:0" }],
      routes: { "served.test": origin.address, "stuck.test": stuck },
      timeouts: { preread: `${PREREAD}ms`, connect: `${CONNECT}ms` },
      // Every client has an address of its own, and a place in the table of clients.
      limits: { perClient: 100, newPerSecond: 100, handshakes: 10_000 },
    },
  });
}

forEachCombination((combination) => {
  test(`${TOTAL} connections of ${QUICK.length + 1} bad kinds`, async (t) => {
    const hole = await startBlackhole(t);
    const proxy = await start(t, combination, hole.address);
    const crowd = new Crowd(proxy);
    // What the runtime allocates once, for its first clients, is no leak.
    await crowd.batch([...QUICK, STUCK], BATCH);
    await crowd.batch(QUICK, BATCH);
    await crowd.assertLogged();
    await hole.close();
    const descriptors = await settled(proxy);
    const memory = proxy.memory();

    const second = await startBlackhole(t, "127.0.0.1", hole.port);
    const last = TOTAL / (QUICK.length + 1);
    while (crowd.count < TOTAL - last) await crowd.batch(QUICK, BATCH);
    while (crowd.count < TOTAL) await crowd.batch([STUCK], BATCH);
    await crowd.assertLogged();
    // A runtime that cannot give up a connect gets rid of it now, when it is refused.
    await second.close();
    await until(
      () => `${descriptors} descriptors again; there are ${proxy.descriptors()}`,
      () => (proxy.descriptors() <= descriptors ? true : undefined),
      30_000,
    );
    const grown = proxy.memory() - memory;
    t.diagnostic(
      `${crowd.count} connections; ${descriptors} descriptors; memory grew by ${(grown / MIB).toFixed(1)} MiB`,
    );
    assert.ok(grown < RESIDUE, `memory grew by ${(grown / MIB).toFixed(1)} MiB`);

    // And it still works.
    const client = await dial(t, proxy.endpoint);
    client.send(HELLO);
    await client.receiveText("hi");
  });

  /** The number of descriptors once it no longer falls. */
  async function settled(proxy: RunningProxy): Promise<number> {
    let fewest = proxy.descriptors();
    let since = performance.now();
    return await until("descriptors at rest", () => {
      const now = proxy.descriptors();
      if (now < fewest) [fewest, since] = [now, performance.now()];
      return performance.now() - since > 1000 ? fewest : undefined;
    });
  }

  describe("connects that never finish", () => {
    test("give their descriptors back at the deadline", needs(combination, "cancels_connect"), async (t) => {
      const hole = await startBlackhole(t);
      const proxy = await start(t, combination, hole.address);
      const crowd = new Crowd(proxy);
      await crowd.batch([STUCK], 20);
      const descriptors = await settled(proxy);
      await crowd.batch([STUCK], 200);
      await crowd.assertLogged();
      await until(
        () => `${descriptors} descriptors again; there are ${proxy.descriptors()}`,
        () => (proxy.descriptors() <= descriptors ? true : undefined),
        3000,
      );
    });
  });
});
