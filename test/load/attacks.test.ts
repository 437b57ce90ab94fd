/**
 * Attacks that aim at memory: ten thousand server names, clients from tens of thousands of addresses, thousands of
 * first messages that never end. What they make the program hold stays within what the README says.
 *
 * With CERTLESS_CHAOS_MINUTES there are more of them, and on all rows.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";
import { type TestContext, test } from "node:test";
import { MIB } from "../conformance/harness/bulk.ts";
import { type Combination, forEachCombination } from "../conformance/harness/combinations.ts";
import { startDnsServer, type ZoneEntry } from "../conformance/harness/dns_server.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { greet, startOrigin } from "../conformance/harness/origin.ts";
import { dial, type Peer } from "../conformance/harness/peer.ts";
import { type RunningProxy, startProxy } from "../conformance/harness/proxy.ts";
import { type Scope, until } from "../conformance/harness/waiting.ts";

const IS_LONG = process.env.CERTLESS_CHAOS_MINUTES !== undefined;
const IN_THE_GATE = ["linux@bun", "linux@deno", "node"];
const NAMES = 10_000;
const ADDRESSES = IS_LONG ? 50_000 : 6_000;
const ABREAST = 300;
/** Memory is looked at once for so many clients. */
const SAMPLE = 250;
/** What the runtime allocates once, for its first clients. */
const WARM_UP = 1_500;
/** What runtimes keep of clients that are gone: allocators, and garbage that was not looked for yet. */
const RESIDUE = 24 * MIB;
/** So many names and what they resolve to, as the README says. */
const REMEMBERED = 10 * MIB;

const HOST = "served.test";
const NOBODY: Scope = { after() {} };

/** `count` clients, some at a time, each of which sends what `first` says and waits for its end. @returns most memory, bytes. */
async function flood(proxy: RunningProxy, count: number, first: (index: number) => Uint8Array): Promise<number> {
  let most = 0;
  let begun = 0;
  let logged = 0;
  const lane = async (): Promise<void> => {
    while (begun < count) {
      const index = begun++;
      const client = await dial(NOBODY, proxy.endpoint);
      await client.send(first(index)).untilEnd(30_000);
      client.destroy();
      if (index % SAMPLE === 0) most = Math.max(most, proxy.memory());
    }
  };
  // A long log is the test's, not the program's; but every line has to come.
  const read = (): true | undefined => {
    for (const { reason } of proxy.log.records.splice(0)) {
      logged++;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    proxy.log.lines.length = 0;
    return logged >= count || undefined;
  };
  await Promise.all(Array.from({ length: ABREAST }, lane));
  await until(() => `${count} lines; there are ${logged}`, read, 30_000);
  assert.equal(logged, count);
  return most;
}

/** Of all clients of a flood, by reason. */
const reasons = new Map<string, number>();

function report(t: TestContext, grown: number): void {
  t.diagnostic(`memory grew by ${(grown / MIB).toFixed(1)} MiB; ${JSON.stringify(Object.fromEntries(reasons))}`);
  reasons.clear();
}

/** Every name below `found` has an address, below `slow` no answer, and below `gone` there is none. */
function answers(name: string): ZoneEntry | undefined {
  if (name.endsWith(".found.test")) return ["127.29.0.1"];
  return name.endsWith(".slow.test") ? "silent" : undefined;
}

const zone = new Proxy<Record<string, ZoneEntry>>({}, { get: (_, name) => answers(String(name)) as ZoneEntry });

async function assertServes(t: Scope, proxy: RunningProxy, before = ""): Promise<void> {
  const client = await dial(t, proxy.endpoint);
  await client.send(Buffer.concat([Buffer.from(before), helloFor(HOST)])).receiveText("hi");
}

async function start(t: Scope, combination: Combination, config: Record<string, unknown>): Promise<RunningProxy> {
  const origin = await startOrigin(t, { accept: greet("hi") });
  return await startProxy(t, combination, {
    env: combination.smallHeap,
    config: {
      listeners: [{ address: "127.0.0.1:0" }],
      workers: 2,
      routes: {
        [HOST]: origin.address,
        "*.found.test": "direct:443",
        "*.gone.test": "direct:443",
        "*.slow.test": "direct:443",
      },
      ...config,
    },
  });
}

forEachCombination((combination) => {
  if (!IS_LONG && !IN_THE_GATE.includes(combination.name)) return;

  test(`${NAMES} server names: that exist, that do not, that nobody answers for, that no route holds`, async (t) => {
    const dns = await startDnsServer(t, zone);
    const proxy = await start(t, combination, { resolver: { servers: [dns.address], timeout: "200ms" } });
    // Of twenty: most exist, and what nobody answers for takes time.
    const parents = Array.from({ length: 20 }, (_, index) =>
      index < 11 ? "found.test" : index < 16 ? "gone.test" : index < 19 ? "no-route.test" : "slow.test",
    );
    // Nearly as long as a name can be.
    const longest = Array(3).fill("n".repeat(63)).join(".");
    const name = (index: number): string => `${longest}.${index}.${parents[index % parents.length]}`;
    await flood(proxy, WARM_UP, (index) => helloFor(name(index)));
    const before = proxy.memory();
    const grown = (await flood(proxy, NAMES, (index) => helloFor(name(WARM_UP + index)))) - before;
    report(t, grown);
    assert.ok(grown < REMEMBERED + RESIDUE, `memory grew by ${(grown / MIB).toFixed(1)} MiB`);
    await assertServes(t, proxy);
  });

  test(`clients from ${ADDRESSES} addresses, with limits for each`, async (t) => {
    const proxy = await start(t, combination, {
      listeners: [{ address: "127.0.0.1:0", proxyProtocol: true, trustedProxies: ["127.0.0.0/8"] }],
      limits: { perClient: 10, newPerSecond: 1, burst: 2, handshakes: 5000, connections: 1000 },
    });
    const hello = helloFor("no-route.test");
    const first = (index: number) => Buffer.concat([Buffer.from(headerOf(index)), hello]);
    await flood(proxy, WARM_UP, first);
    const before = proxy.memory();
    const grown = (await flood(proxy, ADDRESSES, (index) => first(WARM_UP + index))) - before;
    report(t, grown);
    assert.ok(grown < RESIDUE, `memory grew by ${(grown / MIB).toFixed(1)} MiB`);
    await assertServes(t, proxy, headerOf(1_000_000));
  });

  test("thousands of first messages that drip and never end", async (t) => {
    const total = 4 * MIB;
    const size = 16_000;
    const count = 1_500;
    const proxy = await start(t, combination, {
      timeouts: { preread: "120s" },
      limits: { prereadTotal: String(total), connections: 10_000 },
    });
    const hello = helloFor(HOST, { padding: size });
    const before = proxy.memory();
    const clients: Peer[] = [];
    while (clients.length < count) {
      clients.push(...(await Promise.all(Array.from({ length: ABREAST }, () => dial(t, proxy.endpoint)))));
    }
    let most = before;
    // Each piece is larger than what a buffer that grows by half has left: it is booked anew.
    for (let at = 0; at < size; at += 4_000) {
      for (const client of clients) client.send(hello.subarray(at, at + 4_000));
      await until("the piece to be taken", () => (unread(clients) === 0 ? true : undefined), 30_000);
      most = Math.max(most, proxy.memory());
    }
    // So many cannot all fit; those who do, hold no more than all may.
    const room = Math.floor(total / size);
    await proxy.waitForCount(count - room, 30_000);
    const held = clients.filter((client) => proxy.log.recordsOf(client).length === 0);
    t.diagnostic(`${held.length} of ${count} held; memory grew by ${((most - before) / MIB).toFixed(1)} MiB`);
    assert.ok(held.length > 0 && held.length <= room, `${held.length} are held`);
    assert.ok(most - before < total + RESIDUE, `memory grew by ${((most - before) / MIB).toFixed(1)} MiB`);
    for (const client of held) client.send(hello.subarray(size));
    // Whoever is not served was refused in this very moment.
    await Promise.all(held.map((client) => Promise.race([client.receive(2).catch(() => {}), client.untilEnd()])));
    const served = held.filter(({ length }) => length > 0);
    assert.ok(served.length > room / 4, `${served.length} are served`);
    await proxy.waitForCount(count - served.length, 30_000);
    assert.ok(proxy.log.records.every(({ reason }) => reason === "preread_memory"));
    for (const client of clients) client.destroy();
    await proxy.waitForCount(count, 30_000);
    await assertServes(t, proxy);
  });
});

/** Clients that are not turned away yet and have something on its way. */
function unread(clients: readonly Peer[]): number {
  return clients.filter(({ ending, closed, socket }) => ending === "open" && !closed && socket.writableLength > 0)
    .length;
}

/** A PROXY header that names another client for each index: every other one by IPv6, a /64 each. */
function headerOf(index: number): string {
  const [high, low] = [index >> 8, index & 255];
  return index % 2 === 0
    ? `PROXY TCP4 10.${(high >> 8) & 255}.${high & 255}.${low} 192.0.2.1 5 6\r\n`
    : `PROXY TCP6 2001:db8:${high.toString(16)}:${low.toString(16)}::1 2001:db8:ff::1 5 6\r\n`;
}
