/**
 * Mixed load for a minute (CERTLESS_SOAK_MINUTES says how many): afterwards descriptors, pipes and memory are back where
 * they were.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { MIB } from "../conformance/harness/bulk.ts";
import { forEachCombination } from "../conformance/harness/combinations.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { until } from "../conformance/harness/waiting.ts";
import { soak, soakRoutes } from "./mixed_load.ts";

const MINUTES = Number(process.env.CERTLESS_SOAK_MINUTES ?? 1);
/** The first seconds' load: what the runtime allocates once, and compiles. */
const WARM_UP = 10_000;
/** Resident memory that may stay behind: allocators and compiled code, not connections. */
const RESIDUE = 24 * MIB;
/** Pipes rest for up to twice ten seconds. */
const REST = 40_000;

forEachCombination((combination) => {
  // The others' runtimes do this work for them; what is ours in them, leaks.test.ts and bulk.test.ts see.
  if (combination.adapter !== "linux" || combination.runtime === "node") return;
  test(`${MINUTES} min of bulk, short, idle, resets, half-closes and stalled readers`, async (t) => {
    const routes = await soakRoutes(t);
    const proxy = await startProxy(t, combination, {
      env: combination.smallHeap,
      config: { listeners: [{ address: "127.0.0.1:0" }], routes },
    });
    const restingPipes = proxy.pipes();
    const atRest = proxy.descriptors();
    await soak(proxy, WARM_UP);
    const memory = proxy.memory();

    const counts = await soak(proxy, MINUTES * 60_000);
    await until(
      () => `${atRest} descriptors again; there are ${proxy.descriptors()}`,
      () => (proxy.descriptors() <= atRest ? true : undefined),
      REST,
    );
    assert.equal(proxy.pipes(), restingPipes);
    const grown = proxy.memory() - memory;
    t.diagnostic(`${JSON.stringify(Object.fromEntries(counts))}; memory grew by ${(grown / MIB).toFixed(1)} MiB`);
    assert.ok(grown < RESIDUE, `memory grew by ${(grown / MIB).toFixed(1)} MiB`);
  });
});
