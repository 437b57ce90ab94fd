import assert from "node:assert/strict";
import { test } from "node:test";
import { memberAt, totalWeight } from "../../../src/upstream/weight_scale.ts";
import { createUpstream, nameOf } from "./upstream_fixture.ts";

test("servers lie side by side, each as wide as its weight", () => {
  const { members } = createUpstream("{ servers: [{ address: 'a:1', weight: 2 }, b:1] }").upstream;
  assert.equal(totalWeight(members), 3);
  assert.equal([0, 1.99, 2, 2.99, 3].map((place) => nameOf(memberAt(members, place))).join(""), "aabbb");
  assert.equal(memberAt([], 0), undefined);
});
