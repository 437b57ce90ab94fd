import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Hash } from "../../../src/upstream/hash.ts";
import { Member } from "../../../src/upstream/member.ts";
import { CLIENTS, choice, createUpstream, nameOf, recordOf, serverOf } from "./upstream_fixture.ts";

describe("hash", () => {
  const { upstream } = createUpstream(
    "{ balance: hash $remote_addr, servers: [{ address: 'a:1', weight: 2 }, b:1, c:1] }",
  );

  test("one key, one server; keys are spread by weight", () => {
    const names = CLIENTS.map((ip) => serverOf(upstream, ip));
    assert.deepEqual(
      CLIENTS.map((ip) => serverOf(upstream, ip)),
      names,
    );
    const ofA = names.filter((name) => name === "a").length;
    assert.ok(Math.abs(ofA - 2_000) < 200, String(ofA));
  });

  test("a key whose server was tried has one other server, again always the same", () => {
    const first = upstream.take(choice([], recordOf("10.1.2.3")), 0);
    assert.ok(first instanceof Member);
    const others = [1, 2, 3].map(() => serverOf(upstream, "10.1.2.3", [first]));
    assert.equal(new Set(others).size, 1);
    assert.notEqual(others[0], nameOf(first));
    assert.equal(serverOf(upstream, "10.1.2.3", upstream.members), "-");
  });

  test("without a key, the turn decides", () => {
    const balancer = new Hash(upstream.members, () => "");
    const names = [1, 2, 3, 4].map(() => nameOf(balancer.choose(choice(), 1, () => true)));
    assert.equal(names.toSorted().join(""), "aabc");
  });

  test("a service's backups are there when the others are not", () => {
    const spare = createUpstream("{ balance: hash $remote_addr, servers: [a:1, z:1] }");
    spare.upstream.setMembers(
      spare.upstream.members.map(({ slot, target }, server) => ({ slot, server, target, backup: server === 1 })),
    );
    assert.equal(serverOf(spare.upstream, "10.1.2.3", [spare.upstream.members[0]!]), "z");
  });
});
