import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Board, createSegment, HEALTH, TICK } from "../../../src/upstream/board.ts";
import { CLOCK, createUpstream, take } from "./upstream_fixture.ts";

describe("board", () => {
  test("threads whose monotonic clocks began at different instants agree on the time", () => {
    const memory = { segments: [createSegment(1, 1, 2)], workers: 2, epoch: 1_000_000 };
    const early = new Board(memory, 0, { now: () => 90_000, wallTime: () => 1_000_500 });
    const late = new Board(memory, 1, { now: () => 3, wallTime: () => 1_040_500 });
    assert.equal(early.tick(90_000 + 60_000), late.tick(3 + 20_000));
    assert.equal(early.tick(90_000 + 60_000), 60_500 / TICK);
  });

  test("it grows by segments: numbers go on, and what was counted stays", () => {
    const memory = { segments: [createSegment(1, 2, 2)], workers: 2, epoch: 0 };
    const board = new Board(memory, 1, CLOCK);
    board.count(1, 1);
    const grown = { ...memory, segments: [...memory.segments, createSegment(2, 3, 2)] };
    board.extend(grown);
    board.extend(grown);
    for (const slot of [2, 4, 4]) board.count(slot, 1);
    board.enterLine(2);
    board.setOldest(2, 7);
    const control = new Board(grown, -1, CLOCK);
    const active = () => [0, 1, 2, 3, 4].map((slot) => control.read(slot, "active"));
    assert.deepEqual(active(), [0, 1, 1, 0, 2]);
    assert.deepEqual([control.waiting(1), control.waiting(2), control.longestWaiting(2)], [0, 1, 1]);
    control.forget(1);
    assert.deepEqual(active(), [0, 0, 0, 0, 0]);
    assert.deepEqual([control.waiting(2), control.longestWaiting(2)], [0, -1]);
  });

  test("a worker that dies takes its connections out of the count, and its lock with it", () => {
    const { open, memory } = createUpstream("{ servers: [a:1] }", 2);
    const [one, two] = [open(0), open(1)];
    const control = new Board(memory, -1, CLOCK);
    take(one);
    take(one);
    const member = take(two);
    assert.equal(member.active, 3);
    one.board.lock(0);
    one.board.enterLine(0);
    one.board.setOldest(0, 1);
    control.forget(0);
    assert.equal(member.active, 1);
    assert.equal(control.waiting(0), 0);
    assert.equal(control.longestWaiting(0), -1);
    member.release();
    assert.equal(member.active, 0);
  });

  test("a lock whose holder never gives it back is taken over in the end", () => {
    const { open } = createUpstream("{ servers: [a:1] }", 2);
    open(0).board.lock(0);
    take(open(1)).release();
  });

  test("the longest waiting worker, though tickets wrap around", () => {
    const { open, memory } = createUpstream("{ servers: [a:1] }", 3);
    const control = new Board(memory, -1, CLOCK);
    open(0).board.setOldest(0, -(2 ** 31) + 3);
    open(2).board.setOldest(0, 2 ** 31 - 3);
    assert.equal(control.longestWaiting(0), 2);
    open(2).board.setOldest(0, 0);
    assert.equal(control.longestWaiting(0), 0);
  });

  test("a server that active checks find up again comes back slowly", () => {
    const { upstream } = createUpstream("{ servers: [{ address: 'a:1', slowStart: 10s }, b:1] }");
    const { board } = upstream;
    const [member] = upstream.members;
    board.setHealth(0, HEALTH.up, 0);
    assert.equal(board.read(0, "backAt"), 0);
    board.setHealth(0, HEALTH.down, 1_000);
    assert.ok(!member!.isInService);
    board.setHealth(0, HEALTH.up, 60_000);
    assert.ok(member!.isInService);
    assert.equal(member!.weight(board.tick(64_900)), 50);
  });

  test("a slot is made ready for another server", () => {
    const { upstream } = createUpstream("{ servers: [a:1] }");
    const { board } = upstream;
    board.write(0, "disabled", 1);
    assert.equal(board.read(0, "disabled"), 1);
    board.clear(0);
    assert.equal(board.read(0, "disabled"), 0);
  });
});
