import assert from "node:assert/strict";
import { test } from "node:test";
import { buildTcp } from "../../../src/config/tcp_options.ts";

const errorsOf = (value: unknown): string[] =>
  buildTcp()
    .safeParse(value)
    .error?.issues.map((i) => i.message) ?? [];

test("nothing is asked for by default", () => {
  assert.deepEqual(buildTcp().parse({}), { bind: [], fastOpen: false, userTimeout: 0 });
});

test("addresses become canonical, times milliseconds", () => {
  const given = { bind: ["10.0.0.5", "2001:DB8:0::5"], fastOpen: true, userTimeout: "30s" };
  assert.deepEqual(buildTcp().parse(given), { bind: ["10.0.0.5", "2001:db8::5"], fastOpen: true, userTimeout: 30_000 });
});

test("what is no address, or a second one of a family, is refused", () => {
  assert.deepEqual(errorsOf({ bind: ["eth0"] }), ["it must be an IP address of this machine"]);
  assert.deepEqual(errorsOf({ bind: ["10.0.0.5:80"] }), ["it must be an IP address of this machine"]);
  assert.deepEqual(errorsOf({ bind: ["10.0.0.5", "10.0.0.6"] }), [
    "it must name one IPv4 and one IPv6 address at most",
  ]);
  assert.deepEqual(errorsOf({ bind: "10.0.0.5" }), ["it must be a list of IP addresses"]);
  assert.match(errorsOf({ userTimeout: 30 })[0]!, /a duration with its unit/);
});
