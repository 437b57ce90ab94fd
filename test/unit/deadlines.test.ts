import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Deadlines, TICK, type Timed } from "../../src/deadlines.ts";

interface Item extends Timed {
  readonly name: string;
}
const item = (name: string): Item => ({ name, dueTick: 0, dueBefore: undefined, dueAfter: undefined });

function expired(deadlines: Deadlines<Item>, now: number): string[] {
  const names: string[] = [];
  deadlines.expire(now, ({ name }) => names.push(name));
  return names;
}

describe("deadlines", () => {
  test("nothing is due before its time, and all of it after", () => {
    const deadlines = new Deadlines<Item>();
    deadlines.set(item("late"), 1000);
    deadlines.set(item("early"), 100);
    assert.equal(deadlines.next(), 100);
    assert.deepEqual(expired(deadlines, 99), []);
    assert.deepEqual(expired(deadlines, 100), ["early"]);
    assert.deepEqual(expired(deadlines, 5000), ["late"]);
    assert.equal(deadlines.next(), Number.POSITIVE_INFINITY);
  });

  test("a moved deadline counts once, at its new place", () => {
    const deadlines = new Deadlines<Item>();
    const moved = item("moved");
    deadlines.set(moved, 100);
    deadlines.set(moved, 500);
    assert.deepEqual(expired(deadlines, 499), []);
    deadlines.set(moved, 200);
    assert.deepEqual(expired(deadlines, 1000), ["moved"]);
    assert.deepEqual(expired(deadlines, 2000), []);
  });

  test("Infinity takes an item out", () => {
    const deadlines = new Deadlines<Item>();
    const gone = item("gone");
    deadlines.set(gone, 100);
    deadlines.set(gone, Number.POSITIVE_INFINITY);
    assert.equal(deadlines.next(), Number.POSITIVE_INFINITY);
    assert.deepEqual(expired(deadlines, 1000), []);
  });

  test("an item may be set anew while it expires", () => {
    const deadlines = new Deadlines<Item>();
    const again = item("again");
    deadlines.set(again, 100);
    let calls = 0;
    deadlines.expire(100, (due) => {
      calls++;
      deadlines.set(due, 300);
    });
    assert.equal(calls, 1);
    assert.equal(deadlines.next(), 300);
  });

  test("an item that another one moves while both expire is handed over once", () => {
    const deadlines = new Deadlines<Item>();
    const items = [item("a"), item("b"), item("c")];
    for (const one of items) deadlines.set(one, 100);
    const names: string[] = [];
    deadlines.expire(100, ({ name }) => {
      names.push(name);
      for (const other of items) deadlines.set(other, 400);
    });
    assert.deepEqual(names.sort(), ["a", "b", "c"]);
    assert.deepEqual(expired(deadlines, 399), []);
    assert.deepEqual(expired(deadlines, 400).sort(), ["a", "b", "c"]);
  });

  test("like a sorted list, whatever is set and moved", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(10_000)), { maxLength: 200 }), fc.nat(10_000), (moves, now) => {
        const deadlines = new Deadlines<Item>();
        const items = Array.from({ length: 21 }, (_, index) => item(String(index)));
        const model = new Map<string, number>();
        for (const [index, at] of moves) {
          deadlines.set(items[index]!, at);
          model.set(String(index), Math.max(TICK, Math.ceil(at / TICK) * TICK));
        }
        const due = [...model].filter(([, at]) => at <= now).map(([name]) => name);
        assert.deepEqual(expired(deadlines, now).sort(), due.sort());
        const rest = [...model.values()].filter((at) => at > now);
        assert.equal(deadlines.next(), Math.min(...rest, Number.POSITIVE_INFINITY));
      }),
    );
  });
});
