import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseTarget } from "../../../src/http/target.ts";

describe("parseTarget", () => {
  test("an origin-form target is its own, whatever is in it", () => {
    for (const target of ["/", "//b.test/", "/http://b.test/", "/a?http://b.test"]) {
      assert.deepEqual(parseTarget("GET", target), { authority: undefined, origin: target });
    }
  });

  test("an absolute-form target is taken apart at the first slash or question mark", () => {
    for (const [target, host, origin] of [
      ["http://a.test/@b.test", "a.test", "/@b.test"],
      ["http://a.test?@b.test/", "a.test", "/?@b.test/"],
      ["HtTp://a.test:80//", "a.test", "//"],
    ] as const) {
      const parsed = parseTarget("GET", target);
      assert.deepEqual([parsed?.authority?.host, parsed?.origin], [host, origin]);
    }
  });

  test("there is no other form", () => {
    for (const target of [
      "",
      "*",
      "a.test",
      "a.test:80",
      "http:/a.test",
      "http:a.test",
      "https://a.test/",
      "http://",
    ]) {
      assert.equal(parseTarget("GET", target), undefined, target);
    }
    assert.deepEqual(parseTarget("OPTIONS", "*"), { authority: undefined, origin: "*" });
  });
});
