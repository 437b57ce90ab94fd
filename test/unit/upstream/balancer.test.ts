import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createBalancer } from "../../../src/upstream/balancer.ts";
import { choice } from "./upstream_fixture.ts";

describe("methods", () => {
  test("each has nothing to choose where there is no server", () => {
    for (const kind of ["round_robin", "least_conn", "random", "random_two"] as const) {
      const balancer = createBalancer({ kind }, [], () => 0);
      assert.equal(
        balancer.choose(choice(), 1, () => true),
        undefined,
      );
    }
  });
});
