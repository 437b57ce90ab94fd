import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResolvedAddresses, ResolveFailure } from "../../../src/host.ts";
import { NameCache } from "../../../src/names/name_cache.ts";
import { noLookups } from "../../../src/names/resolver_counts.ts";
import { VirtualClock } from "../proxy/simulated_world.ts";

test("each name that is asked for is a hit, a miss or stale, and each lookup counts once it has ended", async () => {
  const clock = new VirtualClock();
  const counts = noLookups();
  let outcome: ResolvedAddresses | ResolveFailure = { addresses: ["192.0.2.1"], ttl: 10_000 };
  const cache = new NameCache({
    resolver: {
      concurrency: 4,
      resolve: (_name, answered) => void clock.after(30, () => answered(outcome)),
      resolveService: () => {},
      close: () => {},
    },
    clock,
    times: { minTtl: 0, maxTtl: 60_000, staleFor: 3_600_000 },
    counts,
    warn: () => {},
  });
  const ask = async (): Promise<void> => {
    const answer = cache.resolve("a.test");
    clock.run(clock.now() + 50);
    await answer;
  };
  await ask();
  assert.deepEqual(counts, { hits: 0, stale: 0, misses: 1, lookups: 1, failures: 0, time: 30 });
  await ask();
  assert.deepEqual([counts.hits, counts.misses], [1, 1]);
  outcome = { code: "ESERVFAIL", message: "" };
  clock.run(11_000);
  await ask();
  assert.deepEqual([counts.lookups, counts.failures, counts.misses], [2, 1, 2]);
  clock.run(17_000);
  await ask();
  assert.equal(counts.stale, 1);
});
