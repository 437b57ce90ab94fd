import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Member, serverName } from "../../../src/upstream/member.ts";
import { choice, createUpstream, nameOf, order, take } from "./upstream_fixture.ts";

/** Takes the one that is next, which fails. */
function fail(upstream: Parameters<typeof take>[0], now: number): string {
  const member = take(upstream, now);
  member.failed(now, "ECONNREFUSED");
  member.release();
  return nameOf(member);
}

describe("member: failures", () => {
  test("after maxFails it is passed over for failTimeout, then one connection tries it", () => {
    const { upstream, told } = createUpstream("{ servers: [{ address: 'a:1', failTimeout: 5s }, b:1] }");
    assert.equal(fail(upstream, 0), "a");
    assert.equal(order(upstream, 3, 4_900), "bbb");
    const probe = upstream.members[0]!;
    assert.ok(!probe.isFailing(upstream.board.tick(5_200)));
    let tries = 0;
    const held: Member[] = [];
    for (let index = 0; index < 4; index++) {
      held.push(take(upstream, 5_200));
      if (held.at(-1) === probe) tries++;
    }
    assert.equal(tries, 1, "until it is known how that ends, nobody else");
    probe.succeeded(5_300);
    for (const member of held) member.release();
    assert.ok(/[a].*[a]/.test(order(upstream, 4, 5_300)));
    assert.deepEqual(told, [
      "upstream pool: a:1 failed (ECONNREFUSED) and is passed over for 5 s",
      "upstream pool: a:1 is back",
    ]);
  });

  test("who waits in the line hears that it is back", () => {
    const { upstream } = createUpstream(
      "{ servers: [{ address: 'a:1', failTimeout: 5s }, { address: 'b:1', maxConnections: 1 }], queue: { size: 9 } }",
    );
    assert.equal(fail(upstream, 0), "a");
    take(upstream, 1_000);
    const place = upstream.line!.enter()!;
    let woken = 0;
    place.wake = () => woken++;
    const probe = take(upstream, 6_000);
    assert.equal(nameOf(probe), "a");
    assert.equal(nameOf(upstream.take(choice(), 6_000)), "busy");
    probe.succeeded(6_100);
    assert.equal(woken, 1);
    assert.equal(nameOf(upstream.take(choice(), 6_100)), "a");
  });

  test("fewer failures than maxFails, or none of them counted, change nothing but the weight for a while", () => {
    const { upstream } = createUpstream(
      "{ servers: [{ address: 'a:1', maxFails: 2 }, { address: 'b:1', maxFails: 0 }] }",
    );
    const [a, b] = upstream.members;
    a!.failed(0, "ECONNREFUSED");
    for (let index = 0; index < 20; index++) b!.failed(0, "ECONNREFUSED");
    assert.deepEqual(
      [a, b].map((member) => member!.isFailing(1)),
      [false, false],
    );
    a!.failed(0, "ECONNREFUSED");
    assert.ok(a!.isFailing(1));
  });

  test("the failures of other workers count", () => {
    const { open } = createUpstream("{ servers: [a:1, b:1] }", 2);
    const [one, two] = [open(0), open(1)];
    assert.equal(fail(one, 0), "a");
    assert.equal(order(two, 3), "bbb");
  });

  test("a success that began before the failure does not hide it", () => {
    const { upstream } = createUpstream("{ servers: [a:1, b:1] }");
    const early = take(upstream, 0);
    early.failed(100, "ETIMEDOUT");
    early.succeeded(100);
    assert.equal(order(upstream, 2, 200), "bb");
  });

  test("a single server, or all of them: tried anyway, and back by the first success", () => {
    const { upstream, told } = createUpstream("{ servers: [a:1] }");
    assert.equal(fail(upstream, 0), "a");
    assert.equal(fail(upstream, 10), "a");
    const member = take(upstream, 20);
    assert.ok(member.isFailing(upstream.board.tick(20)));
    member.succeeded(30);
    assert.ok(!member.isFailing(upstream.board.tick(30)));
    assert.equal(told.length, 2);
  });

  test("a client that leaves before the outcome gives the one try back", () => {
    const { upstream } = createUpstream("{ servers: [a:1, b:1] }");
    assert.equal(fail(upstream, 0), "a");
    const [a] = upstream.members;
    const tries = () => take(upstream, 10_200, [upstream.members[1]!]);
    const first = tries();
    assert.equal(first, a);
    assert.ok(a!.isFailing(upstream.board.tick(10_200)));
    first.undecided();
    first.release();
    assert.ok(!a!.isFailing(upstream.board.tick(10_200)));
    tries().succeeded(10_200);
    assert.equal(order(upstream, 2, 10_200).includes("a"), true);
  });

  test("a failure that was just seen is not forgotten by a client that leaves", () => {
    const { upstream } = createUpstream("{ servers: [a:1, b:1] }");
    const early = take(upstream, 0);
    fail(upstream, 0);
    early.failed(0, "ECONNREFUSED");
    early.undecided();
    assert.ok(early.isFailing(upstream.board.tick(100)));
  });

  test("a backup is preferred to a failing server", () => {
    const { upstream } = createUpstream("{ servers: [a:1, { address: 'z:1', backup: true }] }");
    assert.equal(fail(upstream, 0), "a");
    assert.equal(order(upstream, 2), "zz");
    const spare = upstream.members[1]!;
    assert.equal(nameOf(upstream.take(choice([spare]), 0)), "a");
  });
});

describe("member: slowStart", () => {
  test("its weight grows back", () => {
    const { upstream } = createUpstream("{ servers: [{ address: 'a:1', slowStart: 10s, weight: 4 }, b:1] }");
    const [member] = upstream.members;
    assert.equal(member!.weight(1), 400);
    member!.isBack(100);
    assert.deepEqual(
      [100, 124, 149, 199, 200].map((tick) => member!.weight(tick)),
      [4, 100, 200, 400, 400],
    );
  });
});

test("a server's name is its address as it is configured", () => {
  assert.equal(serverName({ kind: "unix", path: "/run/x" }), "unix:/run/x");
  assert.equal(serverName({ kind: "ip", ip: "192.0.2.1", port: undefined }), "192.0.2.1");
  assert.equal(serverName({ kind: "ip", ip: "2001:db8::1", port: 443 }), "[2001:db8::1]:443");
});
