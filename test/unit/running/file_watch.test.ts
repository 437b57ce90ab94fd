import assert from "node:assert/strict";
import { test } from "node:test";
import { FileWatch, LOOK_EVERY } from "../../../src/running/file_watch.ts";
import { VirtualClock } from "../proxy/simulated_world.ts";

function world() {
  const clock = new VirtualClock();
  const files: Record<string, string | undefined> = { a: "1", b: "1" };
  let changes = 0;
  const watch = new FileWatch({
    clock,
    paths: () => Object.keys(files),
    stamp: (path) => files[path],
    changed: () => changes++,
  });
  const looks = (count: number) => clock.run(clock.now() + count * LOOK_EVERY);
  return { clock, files, watch, looks, changes: () => changes };
}

test("a change is told once, when it has stayed for a look", () => {
  const { files, watch, looks, changes } = world();
  watch.isOn = true;
  looks(5);
  assert.equal(changes(), 0);
  files.b = "2";
  looks(1);
  assert.equal(changes(), 0);
  looks(5);
  assert.equal(changes(), 1);
});

test("a file that is written step by step is told when it is done, one that is away when it is back", () => {
  const { files, watch, looks, changes } = world();
  watch.isOn = true;
  for (const stamp of ["2", "3", "4", undefined, undefined, "5"]) {
    files.a = stamp;
    looks(1);
    assert.equal(changes(), 0);
  }
  looks(1);
  assert.equal(changes(), 1);
});

test("an included file that stays away is a change, and so is what comes after it", () => {
  const { files, watch, looks, changes } = world();
  watch.isOn = true;
  files.b = undefined;
  looks(1);
  assert.equal(changes(), 0);
  looks(1);
  assert.equal(changes(), 1);
  files.a = "2";
  looks(2);
  assert.equal(changes(), 2);
});

test("a file that comes back as it was has not changed", () => {
  const { files, watch, looks, changes } = world();
  watch.isOn = true;
  files.a = undefined;
  looks(3);
  files.a = "1";
  looks(3);
  assert.equal(changes(), 0);
});

test("what was read meanwhile is no change; nothing is looked at once it is off", () => {
  const { clock, files, watch, looks, changes } = world();
  watch.isOn = true;
  files.a = "2";
  watch.settled();
  looks(5);
  assert.equal(changes(), 0);
  files.a = "3";
  watch.isOn = false;
  looks(5);
  assert.deepEqual([changes(), clock.pending], [0, 0]);
  watch.isOn = true;
  watch.isOn = true;
  assert.equal(clock.pending, 1);
  looks(3);
  assert.equal(changes(), 0, "what there was at the beginning is known");
});
