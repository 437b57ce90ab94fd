import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RoundRobin } from "../../../src/upstream/balancer.ts";

const server = (name: string, weight = 1, backup = false) => ({ name, weight, backup });
const NONE: ReadonlySet<ReturnType<typeof server>> = new Set();

describe("round robin", () => {
  test("smooth weights in nginx's order", () => {
    const balancer = new RoundRobin([server("a", 5), server("b"), server("c")]);
    const order = Array.from({ length: 14 }, () => balancer.next(NONE)!.name).join("");
    assert.equal(order, "aabacaa".repeat(2));
  });

  test("equal weights take turns", () => {
    const balancer = new RoundRobin([server("a"), server("b"), server("c")]);
    assert.equal(Array.from({ length: 6 }, () => balancer.next(NONE)!.name).join(""), "abcabc");
  });

  test("tried servers are passed over until none is left", () => {
    const servers = [server("a"), server("b")];
    const balancer = new RoundRobin(servers);
    const tried = new Set<ReturnType<typeof server>>();
    const names: string[] = [];
    for (let next = balancer.next(tried); next !== undefined; next = balancer.next(tried)) {
      tried.add(next);
      names.push(next.name);
    }
    assert.deepEqual(names.sort(), ["a", "b"]);
  });

  test("backups only when all others were tried", () => {
    const [first, second, spare] = [server("first"), server("second"), server("spare", 100, true)];
    const balancer = new RoundRobin([spare, first, second]);
    for (let round = 0; round < 10; round++) assert.notEqual(balancer.next(NONE), spare);
    assert.equal(balancer.next(new Set([first, second])), spare);
    assert.equal(balancer.next(new Set([first, second, spare])), undefined);
  });

  test("a failing server does not skew the others", () => {
    const [bad, ...good] = [server("bad"), server("x"), server("y")];
    const balancer = new RoundRobin([bad!, ...good]);
    const counts = new Map<string, number>();
    for (let round = 0; round < 300; round++) {
      const first = balancer.next(NONE)!;
      const used = first === bad ? balancer.next(new Set([bad]))! : first;
      counts.set(used.name, (counts.get(used.name) ?? 0) + 1);
    }
    assert.ok(Math.abs(counts.get("x")! - counts.get("y")!) <= 2, JSON.stringify([...counts]));
  });
});
