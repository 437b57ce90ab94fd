import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WeightedRandom } from "../../../src/upstream/weighted_random.ts";
import { choice, createUpstream, nameOf, order, take } from "./upstream_fixture.ts";

const share = (names: string, name: string): number => names.split(name).length - 1;

describe("random", () => {
  test("by weight", () => {
    const { upstream } = createUpstream("{ balance: random, servers: [{ address: 'a:1', weight: 3 }, b:1] }");
    const names = order(upstream, 4_000);
    assert.ok(Math.abs(share(names, "a") - 3_000) < 150, String(share(names, "a")));
  });

  test("the less loaded one of two", () => {
    const { upstream } = createUpstream("{ balance: random two least_conn, servers: [a:1, b:1, c:1] }");
    const [a, b, c] = upstream.members;
    for (let index = 0; index < 50; index++) a!.taken(1);
    for (let index = 0; index < 20; index++) b!.taken(1);
    assert.ok(!order(upstream, 200).includes("a"));
    const names = Array.from({ length: 130 }, () => nameOf(take(upstream)));
    assert.ok(Math.max(a!.active, b!.active, c!.active) <= 90, names.join(""));
    const counts = [a, b, c].map((member) => member!.active);
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 12, counts.join());
  });

  test("what may not be chosen is not, and chance at its ends chooses somebody", () => {
    const { upstream } = createUpstream("{ servers: [a:1, b:1] }");
    for (const value of [0, 0.5, 1 - 2 ** -32]) {
      const balancer = new WeightedRandom(upstream.members, true, () => value);
      assert.ok(balancer.choose(choice(), 1, () => true) !== undefined);
      assert.equal(nameOf(balancer.choose(choice(), 1, (member) => nameOf(member) === "b")), "b");
      assert.equal(
        balancer.choose(choice(), 1, () => false),
        undefined,
      );
    }
  });
});
