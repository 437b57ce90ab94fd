import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HEALTH } from "../../../src/upstream/board.ts";
import { choice, createUpstream, nameOf, order, take } from "./upstream_fixture.ts";

describe("upstream: who may be chosen", () => {
  test("one that is down by configuration or by an operator is not, by its checks only when no other is left", () => {
    const { upstream } = createUpstream("{ servers: [{ address: 'a:1', down: true }, b:1, c:1, d:1] }");
    upstream.board.write(1, "disabled", 1);
    upstream.board.write(2, "health", HEALTH.down);
    assert.equal(order(upstream, 3), "ddd");
    upstream.board.write(3, "health", HEALTH.down);
    assert.equal(order(upstream, 4), "cdcd");
    upstream.board.write(2, "disabled", 1);
    upstream.board.write(3, "disabled", 1);
    assert.equal(nameOf(upstream.take(choice(), 0)), "-");
  });

  test("one that fails is tried before one that checks found down", () => {
    const { upstream } = createUpstream("{ servers: [a:1, b:1] }");
    upstream.board.write(0, "health", HEALTH.down);
    upstream.members[1]!.failed(0, "ECONNREFUSED");
    assert.equal(nameOf(upstream.take(choice(), 0)), "b");
  });

  test("maxConnections: exact, over all workers", () => {
    const { open } = createUpstream("{ servers: [{ address: 'a:1', maxConnections: 2 }] }", 2);
    const [one, two] = [open(0), open(1)];
    take(one);
    const second = take(two);
    for (const upstream of [one, two]) assert.equal(upstream.take(choice(), 0), "busy");
    second.release();
    take(one);
    assert.equal(two.take(choice(), 0), "busy");
  });

  test("a full server's connections go to the others, then to the backups", () => {
    const { upstream } = createUpstream(
      "{ servers: [{ address: 'a:1', maxConnections: 1 }, { address: 'b:1', maxConnections: 1 }, { address: 'z:1', backup: true }] }",
    );
    assert.equal([1, 2, 3, 4].map(() => nameOf(take(upstream))).join(""), "abzz");
  });
});

describe("upstream: members that come and go", () => {
  test("those that stay keep their connections; those that go are released all the same", () => {
    const { upstream } = createUpstream("{ servers: [a:1, b:1] }");
    const [a, b] = [take(upstream), take(upstream)];
    const target = { kind: "ip", ip: "192.0.2.1", port: 1 } as const;
    upstream.setMembers([
      { slot: 1, server: 1, target: b.target },
      { slot: 2, server: 0, target },
      { slot: 3, server: 9, target },
    ]);
    assert.deepEqual(
      upstream.members.map(({ slot, name, active }) => [slot, name, active]),
      [
        [1, "b:1", 1],
        [2, "a:1", 0],
      ],
    );
    assert.equal(upstream.members[0], b);
    a.release();
    assert.equal(upstream.board.read(0, "active"), 0);
  });
});
