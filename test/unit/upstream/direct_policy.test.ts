import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Endpoint } from "../../../src/address.ts";
import { DirectPolicy } from "../../../src/upstream/direct_policy.ts";

const tcp = (ip: string, port: number): Endpoint => ({ kind: "tcp", ip, port });
const policy = (listeners: Endpoint[], own: string[] = []) => new DirectPolicy(listeners, own);

describe("direct policy", () => {
  test("addresses of the inner network are refused by kind", () => {
    const guard = policy([]);
    for (const [ip, word] of [
      ["127.0.0.1", "loopback"],
      ["10.1.2.3", "private"],
      ["192.168.0.1", "private"],
      ["169.254.169.254", "link local"],
      ["100.64.0.1", "carrier-grade"],
      ["fd00::1", "unique local"],
      ["fe80::1", "link local"],
      ["::1", "loopback"],
      ["::ffff:10.0.0.1", "private"],
      ["64:ff9b::7f00:1", "loopback"],
    ] as const) {
      assert.match(guard.refuses(ip, 443, false) ?? "", new RegExp(word), ip);
      assert.equal(guard.refuses(ip, 443, true), undefined, ip);
    }
    assert.equal(guard.refuses("93.184.215.14", 443, false), undefined);
    assert.equal(guard.refuses("2606:2800:21f:cb07:6820:80da:af6b:8b2c", 443, false), undefined);
  });

  test("own listeners are refused even with allowPrivate", () => {
    const guard = policy([tcp("127.0.0.1", 443), tcp("::", 8443)], ["10.0.0.5", "2001:db8::5", "127.0.0.1"]);
    assert.match(guard.refuses("127.0.0.1", 443, true)!, /certless itself/);
    assert.equal(guard.refuses("127.0.0.2", 443, true), undefined);
    assert.match(guard.refuses("10.0.0.5", 8443, true)!, /certless itself/);
    assert.match(guard.refuses("127.0.0.9", 8443, true)!, /certless itself/);
    assert.equal(guard.refuses("10.0.0.5", 443, true), undefined);
    assert.equal(guard.refuses("10.0.0.6", 8443, true), undefined);
  });

  test("own addresses are known in every form", () => {
    const guard = policy([tcp("0.0.0.0", 443)], ["8.8.8.8", "127.0.0.1"]);
    for (const ip of ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "::ffff:127.0.0.1"]) {
      assert.match(guard.refuses(ip, 443, true) ?? "", /certless itself/, ip);
    }
    assert.equal(guard.refuses("64:ff9b::808:809", 443, false), undefined);
  });

  test("a public address of this machine is a loop, too", () => {
    const guard = policy([tcp("0.0.0.0", 443)], ["203.0.114.7"]);
    assert.match(guard.refuses("203.0.114.7", 443, false)!, /certless itself/);
    assert.equal(guard.refuses("203.0.114.8", 443, false), undefined);
  });

  test("unspecified and multicast addresses are never dialled", () => {
    const guard = policy([]);
    for (const ip of ["0.0.0.0", "::", "224.0.0.1", "ff02::1"]) assert.ok(guard.refuses(ip, 443, true), ip);
    assert.ok(guard.refuses("not an address", 443, true));
  });
});
