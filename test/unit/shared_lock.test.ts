import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { acquire, lockOwner, release, withLock } from "../../src/shared_lock.ts";

const words = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length));

describe("a lock in shared memory", () => {
  test("is held under its owner's number for the task, and free afterwards, even where the task throws", () => {
    const locks = words(2);
    assert.equal(
      withLock(locks, 1, lockOwner(3), () => locks[1]),
      5,
    );
    assert.throws(() => withLock(locks, 1, 7, () => assert.fail("a fault")));
    assert.deepEqual([...locks], [0, 0]);
  });

  test("of a holder that is gone is taken over in the end, and the late holder does not open it", {
    timeout: 30_000,
  }, () => {
    const locks = words(1);
    acquire(locks, 0, lockOwner(-1));
    acquire(locks, 0, lockOwner(0));
    release(locks, 0, lockOwner(-1));
    assert.deepEqual([...locks], [2]);
  });
});
