import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ClientKey } from "../../../src/limits/client_key.ts";
import { type ClientLimits, ClientTable } from "../../../src/limits/client_table.ts";
import { createLimitsMemory } from "../../../src/limits/limits_memory.ts";
import { seededRandom } from "../proxy/simulated_world.ts";

const START = 1_700_000_000_000;
const key = (low: number, high = -1): ClientKey => ({ high, low });

function tables(limits: Partial<ClientLimits>, workers = 1, connectionLimit = 100): ClientTable[] {
  const memory = createLimitsMemory({ workers, connectionLimit, perClient: true, random: seededRandom(7) });
  const all = { perClient: undefined, newPerSecond: undefined, burst: 0, ...limits };
  return Array.from({ length: workers }, (_, worker) => new ClientTable(memory, worker, all));
}

function table(limits: Partial<ClientLimits>): ClientTable {
  return tables(limits)[0] ?? assert.fail();
}

describe("open connections of a client", () => {
  test("so many and no more; who leaves makes room; others are not touched", () => {
    const clients = table({ perClient: 2 });
    const verdicts = [1, 1, 1, 2].map((low) => clients.enter(key(low), START, false));
    assert.deepEqual(verdicts, ["admitted", "admitted", "per_client_limit", "admitted"]);
    clients.leave(key(1));
    assert.equal(clients.enter(key(1), START, false), "admitted");
    assert.equal(clients.enter(key(1), START, false), "per_client_limit");
  });

  test("in a dry run, those over the limit are counted, too", () => {
    const clients = table({ perClient: 1 });
    assert.deepEqual(
      [1, 2, 3].map(() => clients.enter(key(1), START, true)),
      ["admitted", "per_client_limit", "per_client_limit"],
    );
    for (let i = 0; i < 2; i++) clients.leave(key(1));
    assert.equal(clients.enter(key(1), START, false), "per_client_limit");
    clients.leave(key(1));
    assert.equal(clients.enter(key(1), START, false), "admitted");
  });

  test("over workers, and a worker that is gone takes its connections with it", () => {
    const [first, second] = tables({ perClient: 3 }, 2);
    assert.ok(first && second);
    for (const worker of [first, second, second]) assert.equal(worker.enter(key(5), START, false), "admitted");
    assert.equal(first.enter(key(5), START, false), "per_client_limit");
    first.forget(1);
    assert.deepEqual(
      [1, 2, 3].map(() => first.enter(key(5), START, false)),
      ["admitted", "admitted", "per_client_limit"],
    );
  });

  test("as a plain map of counts would have it", () => {
    const step = fc.record({ client: fc.nat(20), worker: fc.nat(2), leaves: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const workers = tables({ perClient: 4 }, 3);
        const counts = new Map<string, number>();
        const total = (client: number): number =>
          [0, 1, 2].reduce((sum, w) => sum + (counts.get(`${client} ${w}`) ?? 0), 0);
        for (const { client, worker, leaves } of steps) {
          const own = `${client} ${worker}`;
          const open = counts.get(own) ?? 0;
          if (leaves && open > 0) {
            workers[worker]?.leave(key(client));
            counts.set(own, open - 1);
          } else if (!leaves) {
            const expected = total(client) < 4 ? "admitted" : "per_client_limit";
            assert.equal(workers[worker]?.enter(key(client), START, false), expected);
            if (expected === "admitted") counts.set(own, open + 1);
          }
        }
      }),
    );
  });
});

describe("the pace of a client", () => {
  test("a burst, then one by one", () => {
    const clients = table({ newPerSecond: 10, burst: 3 });
    const at = (time: number) => clients.enter(key(1), START + time, false);
    assert.deepEqual([0, 0, 0, 0].map(at), ["admitted", "admitted", "admitted", "new_per_second_limit"]);
    assert.deepEqual([99, 100, 101].map(at), ["new_per_second_limit", "admitted", "new_per_second_limit"]);
    assert.deepEqual([10_000, 10_000, 10_000, 10_000].map(at).at(-1), "new_per_second_limit");
    assert.equal(clients.enter(key(2), START, false), "admitted");
  });

  test("in any second no more than the burst and the rate", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat(300)),
        (rate, burst, gaps) => {
          const clients = table({ newPerSecond: rate, burst });
          const admitted: number[] = [];
          let now = START;
          for (const gap of gaps) {
            now += gap;
            if (clients.enter(key(1), now, false) === "admitted") admitted.push(now);
          }
          for (const [index, from] of admitted.entries()) {
            const within = admitted.slice(index).filter((time) => time - from < 1_000).length;
            assert.ok(within <= rate + burst, `${within} in a second`);
          }
        },
      ),
    );
  });

  test("a clock that is set back forgives; it does not shut anybody out", () => {
    const clients = table({ newPerSecond: 1, burst: 2 });
    for (let i = 0; i < 3; i++) clients.enter(key(1), START, false);
    assert.equal(clients.enter(key(1), START - 3_600_000, false), "admitted");
  });

  test("one that was accepted a little earlier and is judged a little later gets nothing for it", () => {
    const clients = table({ newPerSecond: 1, burst: 2 });
    for (let i = 0; i < 2; i++) clients.enter(key(1), START, false);
    for (const earlier of [1, 1_000, 30_000]) {
      assert.equal(clients.enter(key(1), START - earlier, false), "new_per_second_limit");
    }
  });
});

describe("a flood of clients", () => {
  test("takes no more memory, and forgets nobody who has a connection", () => {
    const clients = table({ perClient: 1, newPerSecond: 1, burst: 1 });
    for (let i = 0; i < 100; i++) assert.equal(clients.enter(key(i), START, false), "admitted");
    // Each comes and goes, as one address of many.
    for (let i = 1_000; i < 101_000; i++) {
      const verdict = clients.enter(key(i, i * 7), START, false);
      assert.equal(verdict, "admitted");
      clients.leave(key(i, i * 7));
    }
    for (let i = 0; i < 100; i++) assert.equal(clients.enter(key(i), START, false), "per_client_limit");
  });

  test("where a bucket is full of connections, the next client passes uncounted", () => {
    const clients = table({ perClient: 1 });
    const verdicts = Array.from({ length: 2_000 }, (_, i) => clients.enter(key(i), START, false));
    // 1024 slots.
    assert.equal(verdicts.filter((verdict) => verdict === "admitted").length, 1_024);
    assert.equal(verdicts.filter((verdict) => verdict === "uncounted").length, 976);
  });

  test("at the connection limit it was made for, every client has its place", () => {
    const [clients] = tables({ perClient: 1 }, 1, 8_000);
    for (let i = 0; i < 8_000; i++) assert.equal(clients?.enter(key(i * 2_654_435), START, false), "admitted");
  });
});
