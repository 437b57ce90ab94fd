import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeQuery } from "../../../src/dns/dns_query.ts";
import { fromHex } from "../three_ways.ts";

test("a question is as RFC 1035 §4.1 has it", () => {
  const expected = fromHex("123401000001000000000000" + "0161047465737400" + "00010001");
  assert.deepEqual(new Uint8Array(encodeQuery(0x1234, "a.test", "A")!), expected);
  assert.deepEqual(encodeQuery(0x1234, "a.test", "AAAA")!.at(-3), 28);
});

test("a name that cannot be asked for is no question", () => {
  for (const name of ["", "a..test", `${"a".repeat(64)}.test`, Array(130).fill("a").join(".")]) {
    assert.equal(encodeQuery(1, name, "A"), undefined, name);
  }
});
