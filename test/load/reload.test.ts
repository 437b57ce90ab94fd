/**
 * A large configuration that changes ten times a second, while clients come, go and stay: none of them notices.
 *
 * CERTLESS_RELOADS says how often; in the gate it is fewer times.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { MIB } from "../conformance/harness/bulk.ts";
import { forEachCombination } from "../conformance/harness/combinations.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { type Origin, startOrigin } from "../conformance/harness/origin.ts";
import { dial, type Peer } from "../conformance/harness/peer.ts";
import { type RunningProxy, startProxy } from "../conformance/harness/proxy.ts";
import { pause, type Scope, until } from "../conformance/harness/waiting.ts";

const ROUTES = 10_000;
const RELOADS = Number(process.env.CERTLESS_RELOADS ?? 60);
const EVERY = 100;
const TUNNELS = 50;
const CLIENTS = 8;
/** Resident memory that may stay behind after all of them: allocators and compiled code, not configurations. */
const RESIDUE = 64 * MIB;

const NAMES = ["even.reload.test", "odd.reload.test"] as const;

/** Routes that nobody asks for, and that are different each time. */
function filler(generation: number): string {
  const lines: string[] = [];
  for (let index = 0; index < ROUTES; index++) lines.push(`  n${index}.g${generation % 7}.fill.test: direct\n`);
  return lines.join("");
}

/**
 * Each name has a server of its own, by an upstream that is another one each time: whoever were routed by one table and
 * served by another would be led astray, or nowhere.
 */
function configuration(origins: readonly Origin[], generation: number): string {
  const names = NAMES.map((name, index) => `  ${name}: u${index}-${generation}\n`).join("");
  const upstreams = NAMES.map(
    (_, index) => `  u${index}-${generation}: { servers: ["${origins[index]!.address}"] }\n`,
  ).join("");
  const more = generation % 2 === 0 ? "" : "  - address: 127.0.0.2:0\n";
  return (
    `listeners:\n  - address: 127.0.0.1:0\n${more}routes:\n  last.g${generation}.test: direct\n${names}` +
    `${filler(generation)}upstreams:\n${upstreams}log: { access: { format: json } }\n`
  );
}

/** Says which server it is, and sends everything back. */
function speak(word: string): (peer: Peer) => void {
  return (peer) => {
    peer.send(word);
    peer.socket.pipe(peer.socket);
  };
}

class Clients {
  served = 0;
  readonly faults: string[] = [];
  readonly #proxy: RunningProxy;
  #over = false;
  #working: Promise<unknown> = Promise.resolve();

  constructor(proxy: RunningProxy) {
    this.#proxy = proxy;
  }

  start(): void {
    this.#working = Promise.all(Array.from({ length: CLIENTS }, (_, index) => this.#work(index)));
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#working;
  }

  async #work(index: number): Promise<void> {
    for (let turn = index; !this.#over; turn++) {
      const name = NAMES[turn % 2] as string;
      try {
        const client = await open(this.#proxy, name);
        client.destroy();
        this.served++;
      } catch (error) {
        this.faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
      await pause(5);
    }
  }
}

/** Connects by `name` and is greeted by its own server. */
async function open(proxy: RunningProxy, name: string): Promise<Peer> {
  const client = await dial({ after: () => {} }, proxy.endpoint);
  client.send(helloFor(name));
  await client.receiveText(name);
  return client;
}

async function startOrigins(t: Scope): Promise<Origin[]> {
  return await Promise.all(NAMES.map((name) => startOrigin(t, { accept: speak(name) })));
}

async function reloadAgainAndAgain(proxy: RunningProxy, origins: readonly Origin[], count: number): Promise<number> {
  const began = performance.now();
  let generation = 0;
  for (; generation < count; generation++) {
    proxy.rewrite(configuration(origins, generation));
    proxy.notify("SIGHUP");
    await pause(Math.max(0, began + (generation + 1) * EVERY - performance.now()));
  }
  const last = generation - 1;
  await proxy.waitForStderr(new RegExp(`upstream u0-${last} added`), 60_000);
  return last;
}

forEachCombination((combination) => {
  test(`${RELOADS} reloads of ${ROUTES} routes, one each ${EVERY} ms, under load`, async (t) => {
    const origins = await startOrigins(t);
    const proxy = await startProxy(t, combination, {
      env: combination.smallHeap,
      config: configuration(origins, 0),
    });
    const tunnels: Peer[] = [];
    t.after(() => {
      for (const tunnel of tunnels) tunnel.destroy();
    });
    for (let index = 0; index < TUNNELS; index++) tunnels.push(await open(proxy, NAMES[index % 2] as string));
    const clients = new Clients(proxy);
    clients.start();
    await reloadAgainAndAgain(proxy, origins, RELOADS / 4);
    const memory = proxy.memory();
    const last = await reloadAgainAndAgain(proxy, origins, RELOADS);
    await clients.stop();
    assert.deepEqual(clients.faults, []);
    assert.ok(clients.served > RELOADS, `${clients.served} clients`);
    assert.doesNotMatch(proxy.stderr, /stays|still has the former/);
    const reloads = proxy.stderr.split("reloaded in ").length - 1;
    t.diagnostic(`${reloads} reloads, ${clients.served} clients, ${Math.round(proxy.memory() / MIB)} MiB`);
    for (const tunnel of tunnels) {
      tunnel.send("still the same");
      await tunnel.receiveText("still the same");
    }
    const final = await dial(t, proxy.endpoint);
    final.send(helloFor(`last.g${last}.test`));
    await final.untilEnd().catch(() => undefined);
    const record = await proxy.recordOf(final, 30_000);
    assert.equal(record.route, `last.g${last}.test`, "the last file is in force");
    const left = await until(
      "memory that returns",
      () => (proxy.memory() < memory + RESIDUE ? proxy.memory() : undefined),
      30_000,
    );
    t.diagnostic(`${Math.round((left - memory) / MIB)} MiB more than after the first ${RELOADS / 4}`);
  });
});
