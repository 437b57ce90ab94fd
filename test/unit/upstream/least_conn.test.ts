import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { compareLoad } from "../../../src/upstream/least_conn.ts";
import type { Member } from "../../../src/upstream/member.ts";
import { createUpstream, nameOf, take } from "./upstream_fixture.ts";

describe("least_conn", () => {
  test("the one with the fewest; level ones take turns", () => {
    const { upstream } = createUpstream("{ balance: least_conn, servers: [a:1, b:1, c:1] }");
    const held = Array.from({ length: 6 }, () => take(upstream));
    assert.equal(held.map(nameOf).join(""), "abccba", "nginx's order");
    held[1]!.release();
    held[4]!.release();
    assert.equal([take(upstream), take(upstream)].map(nameOf).join(""), "bb");
  });

  test("by weight", () => {
    const { upstream } = createUpstream("{ balance: least_conn, servers: [{ address: 'a:1', weight: 3 }, b:1] }");
    const names = Array.from({ length: 8 }, () => nameOf(take(upstream)));
    assert.equal(names.filter((name) => name === "a").length, 6);
    const [a, b] = upstream.members;
    assert.equal(compareLoad(a!, b!, 1), 0);
  });

  test("two workers stay within one connection of each other, however they mix", () => {
    const step = fc.record({ worker: fc.nat(1), release: fc.boolean(), which: fc.nat(1000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { open } = createUpstream("{ balance: least_conn, servers: [a:1, b:1, c:1] }", 2);
        const workers = [open(0), open(1)];
        const held: Member[] = [];
        for (const { worker, release, which } of steps) {
          if (release) held.splice(which % Math.max(1, held.length), 1)[0]?.release();
          else {
            const before = workers[0]!.members.map(({ active }) => active);
            const member = take(workers[worker]!);
            assert.equal(member.active - 1, Math.min(...before));
            held.push(member);
          }
        }
        for (const member of held) member.release();
        assert.deepEqual(
          workers[1]!.members.map(({ active }) => active),
          [0, 0, 0],
        );
      }),
    );
  });

  test("one that comes back with slowStart is not flooded", () => {
    const { upstream } = createUpstream(
      "{ balance: least_conn, servers: [{ address: 'a:1', slowStart: 10s }, { address: 'b:1' }] }",
    );
    const [a, b] = upstream.members;
    for (let index = 0; index < 10; index++) b!.taken(1);
    a!.isBack(upstream.board.tick(0));
    let got = 0;
    while (take(upstream, 4_900) === a) got++;
    assert.ok(got >= 4 && got <= 6, `${got} of the other's 10, at half of the time`);
  });
});
