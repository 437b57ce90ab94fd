import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConsistentHash } from "../../../src/upstream/consistent_hash.ts";
import { CLIENTS, choice, createUpstream, nameOf, serverOf } from "./upstream_fixture.ts";

const pool = (servers: readonly string[]) =>
  createUpstream(`{ balance: hash $remote_addr consistent, servers: [${servers.join(", ")}] }`).upstream;
const TEN = Array.from({ length: 10 }, (_, index) => `s${index}:443`);

describe("consistent hash", () => {
  test("when one of n servers leaves, at most 1.3/n of the keys move, and only its own", () => {
    const all = pool(TEN);
    const before = CLIENTS.map((ip) => serverOf(all, ip));
    for (const [index, gone] of TEN.entries()) {
      const rest = pool(TEN.toSpliced(index, 1));
      const after = CLIENTS.map((ip) => serverOf(rest, ip));
      const moved = after.filter((name, at) => name !== before[at]).length;
      assert.ok(moved <= (1.3 / 10) * CLIENTS.length, `${gone}: ${moved}`);
      for (const [at, name] of before.entries()) if (`${name}:443` !== gone) assert.equal(after[at], name);
    }
  });

  test("one that cannot be chosen leaves its keys to the next on the ring, as if it were not there", () => {
    const all = pool(TEN);
    const rest = pool(TEN.slice(1));
    for (const ip of CLIENTS.slice(0, 500)) {
      assert.equal(serverOf(all, ip, [all.members[0]!]), serverOf(rest, ip));
    }
    assert.equal(serverOf(all, "10.1.2.3", all.members), "-");
  });

  test("weight is the share of the ring", () => {
    const upstream = pool(["{ address: 'a:443', weight: 3 }", "b:443"]);
    const ofA = CLIENTS.filter((ip) => serverOf(upstream, ip) === "a").length;
    assert.ok(Math.abs(ofA - 3_000) < 300, String(ofA));
  });

  test("the addresses of one name share its keys", () => {
    const upstream = pool(["a:443", "b:443"]);
    const at = (slot: number, server: number, ip: string) => ({
      slot,
      server,
      target: { kind: "ip", ip, port: 443 } as const,
    });
    const before = CLIENTS.map((ip) => serverOf(upstream, ip));
    upstream.setMembers([at(2, 0, "192.0.2.1"), at(3, 0, "192.0.2.2"), at(1, 1, "192.0.2.3")]);
    assert.deepEqual(
      CLIENTS.map((ip) => serverOf(upstream, ip)),
      before,
    );
  });

  test("without a key, the turn decides", () => {
    const balancer = new ConsistentHash(pool(["a:1", "b:1"]).members, () => "");
    assert.equal([1, 2].map(() => nameOf(balancer.choose(choice(), 1, () => true))).join(""), "ab");
  });
});
