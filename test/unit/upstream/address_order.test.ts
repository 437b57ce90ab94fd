import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "../../../src/address.ts";
import { AddressMemory } from "../../../src/upstream/address_memory.ts";
import { interleaveFamilies, orderByExperience } from "../../../src/upstream/address_order.ts";

const tcp = (ip: string): Endpoint => ({ kind: "tcp", ip, port: 443 });
const order = (ips: readonly string[], memory: AddressMemory, now: number): string[] =>
  orderByExperience(ips.map(tcp), memory, now).map((endpoint) => (endpoint.kind === "tcp" ? endpoint.ip : ""));

test("families take turns, the first one's first, each in the resolver's order", () => {
  assert.deepEqual(interleaveFamilies(["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2", "192.0.2.3"]), [
    "2001:db8::1",
    "192.0.2.1",
    "2001:db8::2",
    "192.0.2.2",
    "192.0.2.3",
  ]);
  assert.deepEqual(interleaveFamilies(["192.0.2.1", "2001:db8::1"]), ["192.0.2.1", "2001:db8::1"]);
  assert.deepEqual(interleaveFamilies(["192.0.2.1"]), ["192.0.2.1"]);
  assert.deepEqual(interleaveFamilies([]), []);
});

test("addresses that failed lately come last, for a minute, and not after they have answered", () => {
  const memory = new AddressMemory();
  const addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
  memory.failed("192.0.2.1:443", 0);
  assert.deepEqual(order(addresses, memory, 59_999), ["192.0.2.2", "192.0.2.3", "192.0.2.1"]);
  assert.deepEqual(order(addresses, memory, 60_000), addresses);
  memory.failed("192.0.2.2:443", 60_000);
  memory.answered("192.0.2.2:443");
  assert.deepEqual(order(addresses, memory, 60_001), addresses);
  assert.deepEqual(orderByExperience(addresses.map(tcp), undefined, 0), addresses.map(tcp));
});

test("a family of which three different addresses failed goes second, until one answers", () => {
  const memory = new AddressMemory();
  const addresses = ["2001:db8::9", "192.0.2.9"];
  for (const ip of ["2001:db8::1", "2001:db8::2"]) memory.failed(`[${ip}]:443`, 0);
  memory.failed("[2001:db8::2]:443", 1);
  assert.deepEqual(order(addresses, memory, 2), addresses);
  memory.failed("[2001:db8::3]:443", 2);
  assert.deepEqual(order(addresses, memory, 3), ["192.0.2.9", "2001:db8::9"]);
  assert.deepEqual(order(["2001:db8::9"], memory, 3), ["2001:db8::9"]);
  assert.deepEqual(order(addresses, memory, 60_002), addresses);
  memory.failed("[2001:db8::1]:443", 60_003);
  memory.failed("[2001:db8::2]:443", 60_003);
  memory.failed("[2001:db8::3]:443", 60_003);
  memory.answered("[2001:db8::9]:443");
  assert.deepEqual(order(addresses, memory, 60_004), addresses);
});

test("the memory is bounded", () => {
  const memory = new AddressMemory();
  for (let index = 0; index < 1_001; index++) memory.failed(`192.0.${index >> 8}.${index & 255}:443`, 0);
  assert.equal(memory.isLast("192.0.0.0:443", 1), false);
  assert.equal(memory.isLast("192.0.0.1:443", 1), true);
});
