import assert from "node:assert/strict";
import { test } from "node:test";
import { DirectPolicy } from "../../../src/upstream/direct_policy.ts";
import { fakeIpNote } from "../../../src/upstream/fake_ip.ts";

test("addresses that proxy tools make up are named", () => {
  for (const ip of ["198.18.0.4", "198.19.255.255", "28.0.0.5", "240.1.2.3", "fc00::7"]) {
    assert.match(fakeIpNote(ip), /fake-IP.*resolver\.servers/, ip);
  }
  for (const ip of ["93.184.215.14", "198.20.0.1", "fd00::1", "2606:2800::1"]) assert.equal(fakeIpNote(ip), "", ip);
});

test("the policy's refusal says so", () => {
  const policy = new DirectPolicy([], []);
  assert.match(policy.refuses("198.18.0.4", 443, false) ?? "", /^it is a benchmark address; proxy tools make/);
  assert.equal(policy.refuses("198.18.0.4", 443, true), undefined);
});

test("addresses of a NAT or load balancer are never dialled", () => {
  const policy = new DirectPolicy(
    [],
    [],
    [
      { ip: "203.0.114.7", port: undefined },
      { ip: "203.0.114.8", port: 443 },
    ],
  );
  assert.match(policy.refuses("203.0.114.7", 8443, true) ?? "", /selfAddresses/);
  assert.match(policy.refuses("::ffff:203.0.114.7", 8443, true) ?? "", /selfAddresses/);
  assert.match(policy.refuses("203.0.114.8", 443, true) ?? "", /selfAddresses/);
  assert.equal(policy.refuses("203.0.114.8", 80, false), undefined);
});

test("interfaces' addresses may change", () => {
  const policy = new DirectPolicy([{ kind: "tcp", ip: "0.0.0.0", port: 443 }], ["203.0.114.1"]);
  policy.setOwnAddresses(["203.0.114.2", "2001:DB8::0:5"]);
  assert.equal(policy.refuses("203.0.114.1", 443, false), undefined);
  assert.match(policy.refuses("203.0.114.2", 443, true) ?? "", /certless itself/);
  assert.match(policy.refuses("2001:db8::5", 443, true) ?? "", /certless itself/);
});
