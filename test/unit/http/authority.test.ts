import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseAuthority } from "../../../src/http/authority.ts";

describe("parseAuthority", () => {
  test("tells name, host and port", () => {
    assert.deepEqual(parseAuthority("A.test:81"), { name: "a.test", host: "A.test", port: 81 });
    assert.deepEqual(parseAuthority("a.test:"), { name: "a.test", host: "a.test", port: undefined });
    assert.deepEqual(parseAuthority(""), { name: undefined, host: "", port: undefined });
    assert.deepEqual(parseAuthority("192.0.2.1"), { name: undefined, host: "192.0.2.1", port: undefined });
    assert.deepEqual(parseAuthority("[::1]:443"), { name: undefined, host: "[::1]", port: 443 });
  });

  test("a name of 253 with its dot and port is the longest", () => {
    const name = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`;
    assert.equal(parseAuthority(`${name}.:65535`)?.name, name);
    assert.equal(parseAuthority(`${name}d`), undefined);
    assert.equal(parseAuthority("a".repeat(60000)), undefined);
  });

  test("whatever is accepted holds no byte that could end a line or a URL's authority", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab.1:[]@/?#\\ \r\n\t%-_,"), maxLength: 12 }), (text) => {
        if (parseAuthority(text) !== undefined) assert.match(text, /^[ab.1:[\]_-]*$/);
      }),
      { numRuns: 1000 },
    );
  });
});
