import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Upstream } from "../../../src/upstream/upstream.ts";
import { Place, type WaitingLine } from "../../../src/upstream/waiting_line.ts";
import { choice, createUpstream, take } from "./upstream_fixture.ts";

const POOL = "{ servers: [{ address: 'a:1', maxConnections: 1 }], queue: { size: 3, timeout: 9s } }";

function lineOf(upstream: Upstream): WaitingLine {
  assert.ok(upstream.line);
  return upstream.line;
}

/** A place that takes a server when it is its turn, and writes its name then. */
function wait(upstream: Upstream, name: string, served: string[]): Place {
  const place = lineOf(upstream).enter();
  assert.ok(place instanceof Place);
  place.wake = () => {
    if (upstream.take(choice(), 0) === "busy") return;
    served.push(name);
    place.leave();
  };
  return place;
}

describe("waiting line", () => {
  test("first come, first served, and no more than its size", () => {
    const { upstream } = createUpstream(POOL);
    const member = take(upstream);
    const served: string[] = [];
    const places = ["a", "b", "c"].map((name) => wait(upstream, name, served));
    assert.equal(lineOf(upstream).enter(), undefined);
    assert.deepEqual(
      places.map(({ isNext }) => isNext),
      [true, false, false],
    );
    member.release();
    assert.deepEqual(served, ["a"]);
    places[1]!.leave();
    places[1]!.leave();
    member.release();
    assert.deepEqual(served, ["a", "c"]);
    assert.equal(lineOf(upstream).length, 0);
    assert.equal(lineOf(upstream).limits.timeout, 9_000);
  });

  test("a server that DNS adds wakes who waits", () => {
    const { upstream } = createUpstream(POOL);
    const member = take(upstream);
    const served: string[] = [];
    wait(upstream, "a", served);
    const { slot, target } = member;
    upstream.setMembers([
      { slot, server: 0, target },
      { slot: slot + 1, server: 0, target: { kind: "ip", ip: "192.0.2.9", port: 1 } },
    ]);
    assert.deepEqual(served, ["a"]);
  });

  test("where there is room for several, several are woken", () => {
    const { upstream } = createUpstream(POOL.replace("maxConnections: 1", "maxConnections: 2"));
    const served: string[] = [];
    for (const name of ["a", "b", "c"]) wait(upstream, name, served);
    upstream.freed();
    assert.deepEqual(served, ["a", "b"]);
  });

  test("who is served without being woken wakes the next: there may be room for both", () => {
    const { upstream } = createUpstream(POOL.replace("maxConnections: 1", "maxConnections: 2"));
    const served: string[] = [];
    const first = wait(upstream, "a", served);
    wait(upstream, "b", served);
    wait(upstream, "c", served);
    // As a connection does that looks once more when it has entered the line.
    assert.ok(first.isNext);
    take(upstream);
    first.leave();
    assert.deepEqual(served, ["b"]);
  });

  test("a long line whose connections all fail at once is served one after another, not one inside another", () => {
    const { upstream } = createUpstream(POOL.replace("size: 3", "size: 20000"));
    const member = take(upstream);
    let failed = 0;
    for (let index = 0; index < 20_000; index++) {
      const place = lineOf(upstream).enter()!;
      place.wake = () => {
        const taken = take(upstream);
        place.leave();
        failed++;
        taken.release();
      };
    }
    member.release();
    assert.equal(failed, 20_000);
  });

  test("over all workers: another's turn is passed on", () => {
    const { open, passed } = createUpstream(POOL, 2);
    const [one, two] = [open(0), open(1)];
    const member = take(one);
    const served: string[] = [];
    wait(two, "two", served);
    wait(one, "one", served);
    assert.equal(lineOf(one).length, 2);
    member.release();
    assert.deepEqual([served, passed], [[], [1]]);
    two.freed();
    assert.deepEqual([served, passed], [["two"], [1, 0]], "there may be room for one more");
    two.members[0]!.release();
    assert.deepEqual([served, passed], [["two"], [1, 0, 0]]);
  });

  test("who waits for fewer servers than the others keeps nobody from theirs", () => {
    for (const workers of [0, 2]) {
      const made = createUpstream(POOL, workers);
      const upstream = workers === 0 ? made.upstream : made.open(0);
      const line = lineOf(upstream);
      const member = take(upstream);
      const again = line.enter(true)!;
      let looks = 0;
      again.wake = () => void looks++;
      assert.deepEqual([line.length, line.isFree, again.isNext], [1, true, true]);
      const served: string[] = [];
      const place = wait(upstream, "a", served);
      assert.deepEqual([line.length, line.isFree, place.isNext], [2, false, true]);
      member.release();
      assert.deepEqual([looks, served, line.length], [1, ["a"], 1]);
      again.leave();
      again.leave();
      assert.equal(line.length, 0);
    }
  });
});
