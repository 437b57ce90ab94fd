import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ServerHealth } from "../../../src/health/server_health.ts";

/** The states after each of `results`: `+` is a good check, `-` a failed one. */
function states(results: string, rise: number, fall: number): string {
  const health = new ServerHealth({ rise, fall });
  return [...results]
    .map((result) => {
      const before = health.state;
      const changed = health.add(result === "+");
      assert.equal(changed, before !== health.state);
      return health.state[0];
    })
    .join("");
}

test("unknown: one good check is enough, a bad one is not", () => {
  assert.equal(states("+", 5, 5), "u");
  assert.equal(new ServerHealth({ rise: 1, fall: 1 }).state, "unknown");
  assert.equal(states("--+", 2, 3), "uuu");
  assert.equal(states("---", 2, 3), "uud");
});

test("fall failures in a row take it out, rise good checks in a row bring it back", () => {
  assert.equal(states("+--+---++", 2, 3), "uuuuuuddu");
  assert.equal(states("---+-+-++", 2, 3), "uudddddd" + "u");
  assert.equal(states("-+-+", 1, 1), "dudu");
});

test("it changes only after as many results in a row as it says", () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean()),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      (all, rise, fall) => {
        const health = new ServerHealth({ rise, fall });
        for (const [index, isWell] of all.entries()) {
          const before = health.state;
          if (!health.add(isWell)) continue;
          assert.equal(health.state, isWell ? "up" : "down");
          const needed = isWell ? (before === "unknown" ? 1 : rise) : fall;
          assert.deepEqual(all.slice(index + 1 - needed, index + 1), Array(needed).fill(isWell));
        }
      },
    ),
  );
});
