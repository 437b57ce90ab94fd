import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { smoothest } from "../../../src/upstream/round_robin.ts";
import { choice, createUpstream, nameOf, order, take } from "./upstream_fixture.ts";

const WEIGHTED = "{ servers: [{ address: 'a:1', weight: 5 }, b:1, c:1] }";

describe("round robin", () => {
  test("smooth weights in nginx's order", () => {
    assert.equal(order(createUpstream(WEIGHTED).upstream, 14), "aabacaa".repeat(2));
  });

  test("equal weights take turns", () => {
    assert.equal(order(createUpstream("{ servers: [a:1, b:1, c:1] }").upstream, 6), "abcabc");
  });

  test("workers share the turns", () => {
    const { open } = createUpstream(WEIGHTED, 2);
    const workers = [open(0), open(1)];
    let names = "";
    for (let index = 0; index < 14; index++) names += order(workers[index % 2]!, 1);
    assert.equal(names, "aabacaa".repeat(2));
  });

  test("tried servers are passed over until none is left", () => {
    const { upstream } = createUpstream("{ servers: [a:1, b:1] }");
    const first = take(upstream);
    const second = take(upstream, 0, [first]);
    assert.notEqual(first, second);
    assert.equal(upstream.take(choice([first, second]), 0), undefined);
  });

  test("backups only when all others were tried", () => {
    const { upstream } = createUpstream("{ servers: [{ address: 'z:1', backup: true, weight: 100 }, a:1, b:1] }");
    assert.equal(order(upstream, 10), "ab".repeat(5));
    const [spare, first, second] = upstream.members;
    assert.equal(upstream.take(choice([first!, second!]), 0), spare);
    assert.equal(upstream.take(choice([spare!, first!, second!]), 0), undefined);
  });

  test("a failing server does not skew the others", () => {
    const { upstream } = createUpstream("{ servers: [{ address: 'a:1', maxFails: 0 }, b:1, c:1] }");
    const counts = new Map<string, number>();
    for (let round = 0; round < 300; round++) {
      let member = take(upstream);
      if (nameOf(member) === "a") {
        member.failed(0, "ECONNREFUSED");
        const bad = member;
        bad.release();
        member = take(upstream, 0, [bad]);
      }
      counts.set(nameOf(member), (counts.get(nameOf(member)) ?? 0) + 1);
      member.release();
    }
    assert.ok(Math.abs(counts.get("b")! - counts.get("c")!) <= 2, JSON.stringify([...counts]));
  });

  test("nobody to choose", () => {
    assert.equal(
      smoothest([], 1, () => true),
      undefined,
    );
  });
});
