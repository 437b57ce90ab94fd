import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { escapeText, jsonString, logWord } from "../../../src/log/escape.ts";

describe("escaping", () => {
  test("JSON strings come back as they went, in printable ASCII", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const json = jsonString(text);
        assert.match(json, /^[\x20-\x7e]*$/);
        assert.equal(JSON.parse(json), text);
      }),
    );
  });

  test("words hold no space, quote or control character of the text's own", () => {
    assert.equal(logWord("shop.example.test"), "shop.example.test");
    assert.equal(logWord(""), "-");
    assert.equal(logWord("-"), '"-"');
    assert.equal(logWord("a b"), '"a b"');
    assert.equal(logWord('x"y\\z'), '"x\\x22y\\x5cz"');
    assert.equal(logWord("\u001b[31m"), '"\\x1b[31m"');
    assert.equal(logWord("a\nb"), '"a\\x0ab"');
  });

  test("everything that is not printable ASCII is spelt out", () => {
    assert.equal(escapeText("é\u0085\u202e😀"), "\\xe9\\x85\\u{202e}\\u{1f600}");
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => /^[\x20-\x7e]*$/.test(escapeText(text))));
  });
});
