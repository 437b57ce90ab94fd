import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readYaml } from "../../../src/config/yaml_source.ts";

const TEXT = `a: &x
  b: [1, two, {c: 3}]
"d e":
f: *x
`;

describe("readYaml", () => {
  test("gives plain values without prototypes", () => {
    const { value, errors } = readYaml(TEXT, "f");
    assert.deepEqual(errors, []);
    assert.equal(JSON.stringify(value), '{"a":{"b":[1,"two",{"c":3}]},"d e":null,"f":{"b":[1,"two",{"c":3}]}}');
    assert.equal(Object.getPrototypeOf(value), null);
  });

  test("keys are what was written", () => {
    const { value } = readYaml("0x10: a\n~: b\ntrue: c\n1e3: d\n'1e3 ': e\n__proto__: f\n? \n: g\n", "f");
    assert.deepEqual(Object.keys(value as object), ["0x10", "~", "true", "1e3", "1e3 ", "__proto__", ""]);
  });

  const { positions } = readYaml(TEXT, "f");
  const places: [(string | number)[], string, string][] = [
    [[], "1:1", "1:1"],
    [["a"], "1:1", "2:3"],
    [["a", "b"], "2:3", "2:6"],
    [["a", "b", 1], "2:10", "2:10"],
    [["a", "b", 2, "c"], "2:16", "2:19"],
    [["d e"], "3:1", "3:1"],
    [["f"], "4:1", "4:4"],
    [["f", "b"], "2:3", "2:6"],
    [["nowhere"], "1:1", "1:1"],
    [["a", "nowhere", "deeper"], "1:1", "1:1"],
    [["a", "b", 9], "2:3", "2:3"],
  ];
  for (const [path, key, value] of places) {
    test(`places of ${JSON.stringify(path)}`, () => {
      const text = ({ line, column }: { line: number; column: number }): string => `${line}:${column}`;
      assert.equal(text(positions.keyOf(path)), key);
      assert.equal(text(positions.valueOf(path)), value);
    });
  }

  test("100,000 keys do not take quadratic time", { timeout: 20_000 }, () => {
    let text = "";
    for (let i = 0; i < 100_000; i++) text += `k${i}: v\n`;
    const source = readYaml(text, "f");
    assert.deepEqual(source.positions.keyOf(["k99999"]), { line: 100_000, column: 1 });
  });
});
