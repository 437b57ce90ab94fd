import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseCidr } from "../../../src/address.ts";
import { type CidrSet, createCidrSet } from "../../../src/cidr_set.ts";
import { permits } from "../../../src/limits/access.ts";

const set = (...networks: string[]): CidrSet =>
  createCidrSet(networks.map((network) => parseCidr(network) ?? assert.fail()));
const tcp = (ip: string) => ({ kind: "tcp", ip, port: 1 }) as const;
const UNIX = { kind: "unix", path: "/run/a" } as const;

describe("permits", () => {
  test("the first rule that holds the client counts, and `otherwise` for the rest", () => {
    const rules = [
      { allow: false, networks: set("10.0.0.5"), unix: false },
      { allow: true, networks: set("10.0.0.0/8"), unix: false },
    ];
    for (const otherwise of [true, false]) {
      const access = { rules, otherwise, dryRun: false };
      assert.equal(permits(access, tcp("10.0.0.5")), false);
      assert.equal(permits(access, tcp("10.0.0.6")), true);
      assert.equal(permits(access, tcp("::ffff:10.0.0.6")), true);
      assert.equal(permits(access, tcp("192.0.2.1")), otherwise);
      assert.equal(permits(access, UNIX), otherwise);
    }
  });

  test("a client without an address is held by rules that say so", () => {
    const rules = [{ allow: true, networks: set(), unix: true }];
    assert.equal(permits({ rules, otherwise: false, dryRun: false }, UNIX), true);
    assert.equal(permits({ rules, otherwise: false, dryRun: false }, tcp("127.0.0.1")), false);
  });
});
