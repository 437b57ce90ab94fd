import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadFields, listOf } from "../../../src/http/head_fields.ts";
import { fromText } from "../three_ways.ts";

function fieldsOf(...all: readonly (readonly [name: string, value: string])[]): HeadFields {
  const fields = new HeadFields();
  for (const [name, value] of all)
    assert.equal(fields.add(name, fromText(`..${value}..`), 2, 2 + value.length), undefined);
  return fields;
}

// Which fields are refused is tested through the reader: request_head.test.ts.
describe("HeadFields", () => {
  test("reads the value's bytes only", () => {
    const fields = fieldsOf(["host", "a.test"], ["content-length", "7"]);
    assert.equal(fields.authority?.name, "a.test");
    assert.deepEqual(fields.body, { kind: "length", length: 7 });
    assert.equal(fields.check("1.1"), undefined);
  });

  test("an absolute-form target's authority goes before Host", () => {
    const fields = fieldsOf(["host", "a.test"]);
    fields.targetAuthority = { name: "b.test", host: "B.test", port: 81 };
    assert.equal(fields.authority?.name, "b.test");
    assert.equal(fields.hostHeader, "B.test:81");
    assert.equal(fields.check("1.1")?.[0], "host_mismatch");
  });

  test("other fields are of no interest", () => {
    const fields = fieldsOf(["x-host", "a.test"], ["cookie", "content-length: 5"]);
    assert.deepEqual([fields.authority, fields.hostHeader, fields.body], [undefined, "", { kind: "none" }]);
  });
});

test("listOf splits, trims, lowers, and leaves empty elements out", () => {
  assert.deepEqual(listOf(" A ,, b\t,C d,"), ["a", "b", "c d"]);
  assert.deepEqual(listOf(" , "), []);
});
