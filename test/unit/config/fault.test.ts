import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Fault, formatPath, NOWHERE, type Positions, showValue, toErrors } from "../../../src/config/fault.ts";

describe("faults", () => {
  test("formatPath", () => {
    assert.equal(formatPath([]), "");
    assert.equal(formatPath(["listeners", 0, "address"]), "listeners[0].address");
    assert.equal(formatPath(["routes", "*.a.com", "to"]), "routes['*.a.com'].to");
    assert.equal(formatPath(["a\x1b"]), "['a\\x1b']");
  });

  test("showValue shows scalars only", () => {
    assert.deepEqual(["a\n", 5, false, null, {}, []].map(showValue), [" 'a\\x0a'", " 5", " false", "", "", ""]);
  });

  const fault = (on: Fault["on"], at: Fault["at"]): Fault => ({ code: "conflict", at, on, message: "Cannot" });

  test("a fault points at a key, a value, or the parent of what is missing", () => {
    const positions: Positions = {
      keyOf: (path) => ({ line: path.length, column: 1 }),
      valueOf: (path) => ({ line: path.length, column: 5 }),
    };
    const faults = [fault("value", ["a", "b"]), fault("key", ["a", "b"]), fault("parent", ["a", "b"])];
    assert.deepEqual(
      toErrors(faults, "f", positions).map(({ line, column, at }) => `${line}:${column} ${at}`),
      ["1:1 a.b", "2:1 a.b", "2:5 a.b"],
    );
  });

  test("without a file the order is kept", () => {
    const errors = toErrors([fault("value", ["z"]), fault("key", ["a"])], "", NOWHERE);
    assert.deepEqual(
      errors.map(({ at, line, column }) => [at, line, column]),
      [
        ["z", 0, 0],
        ["a", 0, 0],
      ],
    );
  });
});
