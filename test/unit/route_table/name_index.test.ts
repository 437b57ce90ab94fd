import assert from "node:assert/strict";
import { test } from "node:test";
import { HEADER } from "../../../src/route_table/layout.ts";
import { buildIndexes, isExact } from "../../../src/route_table/name_index.ts";
import { RouteReader } from "../../../src/route_table/route_reader.ts";
import { tableOf } from "./table_fixture.ts";

test("names lie near their own slot, however many there are", () => {
  const names = Array.from({ length: 50_000 }, (_, index) => `${index}.example.test`);
  const { words } = new RouteReader(tableOf(names));
  assert.ok(words[HEADER.exact + 2]! < 100);
});

test("no names, no slots", () => {
  const { indexes } = buildIndexes(new Int32Array(8), [new Int32Array(0)]);
  assert.deepEqual(indexes, [{ slots: new Int32Array(0), farthest: -1, duplicates: 0 }]);
});

test("dot forms stand among the exact names, and nothing else does", () => {
  const head = (text: string): boolean => {
    const { words } = new RouteReader(tableOf([text]));
    return isExact(words[HEADER.length]!);
  };
  assert.deepEqual(["a.com", ".a.com", "*.a.com", "a.*", "~a"].map(head), [true, true, false, false, false]);
});
