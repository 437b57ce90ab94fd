import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { enumerate, escapeInvisible, nearest, quote, suggestion } from "../../../src/config/quote.ts";

describe("escaping", () => {
  test("control and invisible characters are shown by number", () => {
    assert.equal(escapeInvisible("a\0\n\x1b[2J\x7f\x9b"), "a\\x00\\x0a\\x1b[2J\\x7f\\x9b");
    assert.equal(escapeInvisible("\u202e\u200b\u2028\ufeff\ud800"), "\\u{202e}\\u{200b}\\u{2028}\\u{feff}\\u{d800}");
    assert.equal(escapeInvisible("bücher ~ 例"), "bücher ~ 例");
  });

  test("quote cuts after 80 characters", () => assert.equal(quote("x".repeat(81)), `'${"x".repeat(80)}…'`));

  test("nothing unsafe is ever left", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.doesNotMatch(quote(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

describe("nearest", () => {
  const words = ["listeners", "routes", "upstreams", "timeouts", "tls", "http"];
  const found: Record<string, string | undefined> = {
    listener: "listeners",
    Routes: "routes",
    timeuots: "timeouts",
    tsl: "tls",
    htpp: "http",
    upstrems: "upstreams",
    x: undefined,
    servers: undefined,
    "": undefined,
  };
  for (const [word, expected] of Object.entries(found)) {
    test(`'${word}' is near ${expected ?? "nothing"}`, () => assert.equal(nearest(word, words), expected));
  }

  test("the nearest of several is taken", () => assert.equal(nearest("pool2", ["pool", "pool3", "pool2"]), "pool2"));

  test("long words and long lists end the search", () => {
    assert.equal(nearest("x".repeat(100), ["x".repeat(100)]), undefined);
    const many = Array.from({ length: 5000 }, (_, i) => `upstream-${i}`);
    assert.equal(nearest("payments", [...many, "payments"]), undefined);
  });

  test("suggestion is ready to be appended", () => {
    assert.equal(suggestion("tsl", words), "; did you mean 'tls'?");
    assert.equal(suggestion("zzzz", words), "");
  });
});

test("enumerate", () => {
  assert.equal(enumerate([]), "");
  assert.equal(enumerate(["a"]), "a");
  assert.equal(enumerate(["a", "b"]), "a and b");
  assert.equal(enumerate(["a", "b", "c"], "or"), "a, b or c");
});
