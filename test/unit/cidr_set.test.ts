import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Cidr, cidrNetwork, formatIp, parseCidr } from "../../src/address.ts";
import { createCidrSet, holdsAddress } from "../../src/cidr_set.ts";

const cidr = (text: string): Cidr => {
  const found = parseCidr(text);
  assert.ok(found, text);
  return found;
};

describe("a CIDR set", () => {
  test("nested, doubled and adjacent networks, in any order", () => {
    const set = createCidrSet(["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8", "11.0.0.0/32", "2001:db8::/32"].map(cidr));
    assert.equal(set.size, 5);
    for (const ip of ["10.0.0.0", "10.1.2.3", "10.200.0.1", "10.255.255.255", "11.0.0.0", "2001:db8::1"]) {
      assert.ok(holdsAddress(set, ip), ip);
    }
    for (const ip of ["9.255.255.255", "11.0.0.1", "2001:db7:ffff::", "2001:db9::"])
      assert.ok(!holdsAddress(set, ip), ip);
  });

  test("an IPv4-mapped address is the IPv4 one", () => {
    assert.ok(holdsAddress(createCidrSet([cidr("10.0.0.0/8")]), "::ffff:10.0.0.1"));
    assert.ok(!holdsAddress(createCidrSet([cidr("::/0")]), "::ffff:10.0.0.1"));
  });

  test("holds what one of its networks holds", () => {
    const anyCidr = fc
      .tuple(fc.oneof(...[4, 16].map((length) => fc.uint8Array({ minLength: length, maxLength: length }))), fc.nat(128))
      .map(([bytes, prefix]) =>
        cidr(cidrNetwork(`${formatIp(bytes)}/${prefix % (bytes.length === 4 ? 33 : 129)}`) ?? "::"),
      );
    fc.assert(
      fc.property(fc.array(anyCidr, { maxLength: 12 }), anyCidr, (networks, { base }) => {
        const expected = networks.some((network) => holdsAddress(createCidrSet([network]), base));
        assert.equal(holdsAddress(createCidrSet(networks), base), expected);
      }),
    );
  });

  test("200,000 networks are asked as fast as few", { timeout: 20_000 }, () => {
    const networks = Array.from({ length: 200_000 }, (_, i) =>
      cidr(`${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/25`),
    );
    const set = createCidrSet(networks);
    for (let i = 0; i < 200_000; i++) assert.equal(holdsAddress(set, `1.2.3.${i & 255}`), (i & 255) < 128);
  });
});
