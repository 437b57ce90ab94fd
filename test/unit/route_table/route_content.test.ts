import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr } from "../../../src/address.ts";
import { createCidrSet } from "../../../src/cidr_set.ts";
import type { Destination } from "../../../src/config/config.ts";
import { type RouteContent, readContent, writeContent } from "../../../src/route_table/route_content.ts";

const DESTINATIONS: readonly Destination[] = [
  { kind: "reject" },
  { kind: "direct", port: undefined },
  { kind: "direct", port: 8443 },
  { kind: "upstream", name: "a pool" },
  { kind: "ip", ip: "192.0.2.1", port: undefined },
  { kind: "ip", ip: "2001:db8::1", port: 1 },
  { kind: "host", name: "a.test", port: 65535 },
  { kind: "unix", path: "/run/with space/字.sock" },
];

const VIA = {
  protocol: "socks5",
  target: { kind: "ip", ip: "192.0.2.9", port: 1080 },
  username: undefined,
  password: undefined,
} as const;

test("what is written is read again, plain or not", () => {
  for (const to of DESTINATIONS) {
    const plain: RouteContent = { to, allowPrivate: false, via: undefined, bind: undefined };
    const rules = [{ allow: true, networks: createCidrSet([parseCidr("10.0.0.0/8")!]), unix: false }];
    const others: RouteContent[] = [
      plain,
      { ...plain, allowPrivate: true },
      { ...plain, via: VIA },
      { ...plain, bind: ["192.0.2.1", "2001:db8::1"] },
      { ...plain, rate: { down: 1, up: undefined } },
      { ...plain, access: { rules, otherwise: false, dryRun: true } },
    ];
    for (const content of others) assert.deepEqual(readContent(writeContent(content)), content);
  }
});

test("an option that is new needs nothing here", () => {
  const content = {
    to: { kind: "reject" },
    allowPrivate: false,
    via: undefined,
    bind: undefined,
    onChange: { drain: [1, null] },
  };
  assert.deepEqual(readContent(writeContent(content as unknown as RouteContent)), content);
});

test("of two contents that say the same, the texts are the same", () => {
  assert.equal(
    new Set(DESTINATIONS.map((to) => writeContent({ to, allowPrivate: false, via: undefined, bind: undefined }))).size,
    8,
  );
});
