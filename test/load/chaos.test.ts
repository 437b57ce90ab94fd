/**
 * Chaos: for a while servers die, stall and hang up, names move and lie, clients misbehave, descriptors run short and the
 * configuration is another one each second.
 * Throughout, no byte is altered, nobody reaches a wrong server, every connection has its one line with a reason that
 * fits, and a healthy route answers. Afterwards nothing is left, and there is room for a full load again.
 *
 * CERTLESS_CHAOS_MINUTES makes it longer, and runs it on all rows; CERTLESS_CHAOS_SEED repeats one.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { MIB } from "../conformance/harness/bulk.ts";
import { forEachCombination } from "../conformance/harness/combinations.ts";
import { gapOf } from "../conformance/harness/gaps.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { dial } from "../conformance/harness/peer.ts";
import { pause, type Scope, until } from "../conformance/harness/waiting.ts";
import { seededRandom } from "../unit/proxy/simulated_world.ts";
import { anyone, type ClientHome, probe, squat } from "./chaos_clients.ts";
import { ChaosLedger } from "./chaos_ledger.ts";
import { type ChaosWorld, FULL, startWorld } from "./chaos_world.ts";

const MINUTES = process.env.CERTLESS_CHAOS_MINUTES;
const DURATION = MINUTES === undefined ? 14_000 : Number(MINUTES) * 60_000;
/** What the runtime allocates once, and compiles. */
const WARM_UP = 6_000;
const SEED = Number(process.env.CERTLESS_CHAOS_SEED ?? Date.now() % 1_000_000_007);
const IN_THE_GATE = ["linux@bun", "linux@deno", "node"];
const LANES = 24;
const PROBES = 2;

/** Descriptors, where they are to run short, and who takes them, for how long (ms), and how often. */
const DESCRIPTORS = 300;
const SQUATTERS = 260;
const SQUAT = 1_200;
const CALM = 5_000;
/** Milliseconds after the last squatter has left. */
const AFTERMATH = 2_000;

/** Resident memory that may stay behind: allocators and compiled code, not connections. */
const RESIDUE = 32 * MIB;

class Chaos {
  readonly world: ChaosWorld;
  readonly ledger = new ChaosLedger();
  readonly #shortages: { readonly from: number; to: number }[] = [];
  readonly #runsShort: boolean;
  #salt = 0;

  constructor(world: ChaosWorld, runsShort: boolean) {
    this.world = world;
    this.#runsShort = runsShort;
  }

  /** Ends early where something is wrong. */
  async run(duration: number): Promise<void> {
    const end = performance.now() + duration;
    let isBroken = false;
    const isOver = (): boolean => isBroken || performance.now() > end || this.ledger.faults.length > 0;
    const lanes = Array.from({ length: LANES }, () => this.#lane(isOver, anyone));
    const probes = Array.from({ length: PROBES }, () => this.#lane(isOver, probe));
    const { world } = this;
    const all = [
      world.rage(isOver),
      world.reload(isOver),
      this.#starve(isOver),
      this.#watch(isOver),
      ...lanes,
      ...probes,
    ];
    for (const one of all) {
      one.catch(() => {
        isBroken = true;
      });
    }
    await Promise.all(all);
    await this.#settle();
  }

  #home(): ClientHome {
    const wasShort = (from: number, to: number): boolean =>
      this.#shortages.some((one) => one.from <= to && one.to + AFTERMATH >= from);
    return { world: this.world, ledger: this.ledger, random: seededRandom(SEED + 7919 * ++this.#salt), wasShort };
  }

  async #lane(isOver: () => boolean, act: (home: ClientHome) => Promise<void>): Promise<void> {
    const home = this.#home();
    while (!isOver()) {
      await act(home);
      await pause(10);
    }
  }

  async #starve(isOver: () => boolean): Promise<void> {
    if (!this.#runsShort) return;
    const home = this.#home();
    while (!isOver()) {
      for (let waited = 0; waited < CALM && !isOver(); waited += 100) await pause(100);
      const shortage = { from: performance.now(), to: Infinity };
      this.#shortages.push(shortage);
      await Promise.all(Array.from({ length: SQUATTERS }, () => squat(home, SQUAT)));
      shortage.to = performance.now();
    }
  }

  async #watch(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      this.#look();
      await pause(50);
    }
  }

  #look(): void {
    const { ledger, world } = this;
    ledger.read(world.proxy);
    ledger.faults.push(...world.strays.splice(0));
    if (/internal error|failed \(EMFILE\)/.test(world.proxy.stderr)) ledger.faults.push(world.proxy.stderr);
  }

  /** Everybody has gone, and everybody's line has come. */
  async #settle(): Promise<void> {
    const isComplete = (): true | undefined => {
      this.#look();
      return this.ledger.missing().length === 0 || this.ledger.faults.length > 0 || undefined;
    };
    await until(() => `a line of each; missing: ${this.ledger.missing().slice(0, 5).join("; ")}`, isComplete, 20_000);
    assert.deepEqual(this.ledger.faults.slice(0, 5), [], `seed ${SEED}`);
  }
}

/** The servers that have a limit take exactly as many as ever, and the next one waits for its turn. */
async function assertFullLoad(t: Scope, { proxy, limited }: ChaosWorld): Promise<void> {
  const join = async () => {
    const client = await dial(t, proxy.endpoint);
    return client.send(helloFor(limited.host));
  };
  const crowd = await Promise.all(Array.from({ length: 2 * FULL }, join));
  for (const client of crowd) {
    await Promise.race([client.receive(1), client.untilEnd()]);
    if (!client.text.includes("\n")) assert.fail(`no room: ${JSON.stringify(await proxy.recordOf(client))}`);
  }
  assert.deepEqual(
    limited.servers.map(({ open }) => open),
    [FULL, FULL],
  );
  const next = await join();
  crowd[0]?.finish();
  await next.receiveText("\n");
  for (const client of [...crowd, next]) {
    client.finish();
    await client.untilEnd();
  }
}

forEachCombination((combination) => {
  if (MINUTES === undefined && !IN_THE_GATE.includes(combination.name)) return;
  test(`${Math.round(DURATION / 1000)} s of misfortunes, seed ${SEED}`, async (t) => {
    const runsShort = gapOf(combination, "tells_shortage") === undefined;
    const world = await startWorld(t, combination, seededRandom(SEED), runsShort ? DESCRIPTORS : undefined);
    const { proxy } = world;
    await world.reloadOnce();
    const descriptors = proxy.descriptors() - proxy.pipes();
    const chaos = new Chaos(world, runsShort);
    await chaos.run(WARM_UP);
    const memory = proxy.memory();
    await chaos.run(DURATION);
    const { count, reasons } = chaos.ledger;
    t.diagnostic(`seed ${SEED}, ${count} connections: ${JSON.stringify(Object.fromEntries(reasons))}`);

    await until(
      () => `no connection at a server; there are ${world.open}`,
      () => (world.open === 0 ? true : undefined),
    );
    const grown = proxy.memory() - memory;
    t.diagnostic(`memory grew by ${(grown / MIB).toFixed(1)} MiB`);
    const reloads = proxy.stderr.split("reloaded in ").length - 1;
    t.diagnostic(`${reloads} reloads`);
    assert.ok(reloads > DURATION / 4_000, `${reloads} reloads`);
    assert.ok(grown < RESIDUE, `memory grew by ${(grown / MIB).toFixed(1)} MiB, seed ${SEED}`);
    await assertFullLoad(t, world);
    // Pipes rest for a while: soak.test.ts sees to them.
    await until(
      () => `${descriptors} descriptors again; there are ${proxy.descriptors() - proxy.pipes()}`,
      () => (proxy.descriptors() - proxy.pipes() <= descriptors ? true : undefined),
    );
  });
});
