import assert from "node:assert/strict";
import { test } from "node:test";
import { interleaveFamilies } from "../../../src/upstream/address_order.ts";

test("families take turns, IPv6 first, each in the resolver's order", () => {
  assert.deepEqual(interleaveFamilies(["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3", "2001:db8::2"]), [
    "2001:db8::1",
    "192.0.2.1",
    "2001:db8::2",
    "192.0.2.2",
    "192.0.2.3",
  ]);
  assert.deepEqual(interleaveFamilies(["192.0.2.1"]), ["192.0.2.1"]);
  assert.deepEqual(interleaveFamilies([]), []);
});
