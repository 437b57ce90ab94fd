import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clientKey, hashKey, type Seed } from "../../../src/limits/client_key.ts";

const key = (ip: string) => clientKey({ kind: "tcp", ip, port: 1 }) ?? assert.fail(ip);

describe("client keys", () => {
  test("an IPv4 address, or the /64 of an IPv6 one", () => {
    assert.deepEqual(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    assert.deepEqual(key("2001:db8::1"), key("2001:db8::ffff:ffff:ffff:ffff"));
    const others = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1", "::1", "255.255.255.255"];
    assert.equal(new Set(others.map((ip) => JSON.stringify(key(ip)))).size, others.length);
    assert.equal(clientKey({ kind: "unix", path: "/a" }), undefined);
  });

  test("the hash is HalfSipHash-2-4", () => {
    // Key 00 01 … 07, input 00 01 … 07, the published vector for 32 bits.
    const seed: Seed = [0x03020100, 0x07060504];
    assert.equal(hashKey({ low: 0x03020100, high: 0x07060504 }, seed), 0x8f84b8d0);
  });

  test("another seed, another hash; and addresses in a row are spread", () => {
    const buckets = new Set<number>();
    for (let i = 0; i < 256; i++) buckets.add(hashKey(key(`192.0.2.${i}`), [1, 2]) & 255);
    assert.ok(buckets.size > 130, `${buckets.size} of 256 buckets`);
    assert.notEqual(hashKey(key("192.0.2.1"), [1, 2]), hashKey(key("192.0.2.1"), [1, 3]));
  });
});
