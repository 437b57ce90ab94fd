import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  normalizeConfigName,
  normalizeHostname,
  normalizeWireName,
  parsePattern,
  patternKey,
  patternRegex,
  type RoutePattern,
} from "../../src/hostname.ts";

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const toAscii = (name: string): string => (name === "bücher.example" ? "xn--bcher-kva.example" : "");

describe("names", () => {
  const label63 = "a".repeat(63);
  const name253 = `${label63}.${label63}.${label63}.${"b".repeat(61)}`;
  const names: Record<string, string> = {
    "shop.example.test": "shop.example.test",
    "Shop.EXAMPLE.Test.": "shop.example.test",
    "my_shop.example.test": "my_shop.example.test",
    "-shop.example.test": "-shop.example.test",
    "a-.example": "a-.example",
    localhost: "localhost",
    "123.example.test": "123.example.test",
    "127.1": "127.1",
    "0x7f000001": "0x7f000001",
    "0": "0",
    "1.2.3": "1.2.3",
    "1.2.3.4.5": "1.2.3.4.5",
    "1.2.3.256": "1.2.3.256",
    "1.2.3.04": "1.2.3.04",
    "1.2.3.-": "1.2.3.-",
    "1.2.3.4a": "1.2.3.4a",
    "192-0.2.1.1": "192-0.2.1.1",
    __proto__: "__proto__",
    toString: "tostring",
    "xn--bcher-kva.example": "xn--bcher-kva.example",
    [name253]: name253,
    [`${name253}.`]: name253,
    [Array(127).fill("a").join(".")]: Array(127).fill("a").join("."),
  };
  for (const [text, expected] of Object.entries(names)) {
    test(`${text.slice(0, 40)} (${text.length})`, () => {
      assert.equal(normalizeWireName(bytesOf(text)), expected);
      assert.equal(normalizeHostname(text), expected);
    });
  }

  const refused = [
    ..."|.|..|a..b|.a|a..|*.example.test|.*|shop.example.test:443|https://a.test/|2001:db8::7|[::1]|1.2.3.4|0.0.0.0|255.255.255.255".split(
      "|",
    ),
    ..."127.0.0.1.| a.test|a.test |a\0b|a\nb|\x1b[2Ja.test|a,b|a/b|a@b|b\xfccher.example|\xf3\xe8\xef\xf0.example|a.test\xa0".split(
      "|",
    ),
    `${"a".repeat(64)}.test`,
    `test.${"a".repeat(64)}`,
    `${name253}b`,
    `${name253}..`,
    "a".repeat(9000),
  ];
  for (const text of refused) {
    test(`${JSON.stringify(text.slice(0, 40))} is no name`, () => {
      assert.equal(normalizeWireName(bytesOf(text)), undefined);
      assert.equal(normalizeHostname(text), undefined);
    });
  }

  for (const text of [
    "ｓｈｏｐ.example",
    "ſhop.example",
    "\u212a.example",
    "sh\u200bop.example",
    "\u{1f600}.example",
  ]) {
    test(`${JSON.stringify(text)} is no name without IDNA`, () => assert.equal(normalizeHostname(text), undefined));
  }

  test("bytes and text agree, and a name stays as it is", () => {
    const char = fc.constantFrom(..."abzAZ059-_....*: \0\x7f\xff");
    fc.assert(
      fc.property(fc.array(char, { maxLength: 80 }), (chars) => {
        const text = chars.join("");
        const name = normalizeHostname(text);
        assert.equal(normalizeWireName(bytesOf(text)), name);
        if (name === undefined) return;
        assert.match(name, /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/);
        assert.equal(normalizeHostname(name), name);
        assert.equal(name, text.toLowerCase().replace(/\.$/, ""));
      }),
      { numRuns: 1000 },
    );
  });

  test("names of the configuration go through IDNA where they are not ASCII", () => {
    assert.equal(normalizeConfigName("bücher.example", toAscii), "xn--bcher-kva.example");
    assert.equal(normalizeConfigName("WWW.example", toAscii), "www.example");
    assert.equal(normalizeConfigName("ü", toAscii), undefined);
  });
});

describe("parsePattern", () => {
  const patterns: Record<string, RoutePattern> = {
    "A.com.": { kind: "exact", name: "a.com" },
    "bücher.example": { kind: "exact", name: "xn--bcher-kva.example" },
    "*.A.com": { kind: "suffix", name: "a.com", apex: false },
    "*.com": { kind: "suffix", name: "com", apex: false },
    "*.bücher.example": { kind: "suffix", name: "xn--bcher-kva.example", apex: false },
    ".a.com": { kind: "suffix", name: "a.com", apex: true },
    "mail.*": { kind: "prefix", name: "mail" },
    "www.Example.*": { kind: "prefix", name: "www.example" },
    default: { kind: "default" },
    "default.": { kind: "exact", name: "default" },
    __proto__: { kind: "exact", name: "__proto__" },
  };
  for (const [text, expected] of Object.entries(patterns)) {
    test(text, () => assert.deepEqual(parsePattern(text, toAscii), expected));
  }

  const refused: Record<string, RegExp> = {
    "*": /'\*' stands for whole labels/,
    "*a.com": /'\*' stands for whole labels/,
    "a.*.com": /'\*' stands for whole labels/,
    "*.a.*": /'\*' stands for whole labels/,
    "**.a.com": /'\*' stands for whole labels/,
    "mail*": /'\*' stands for whole labels/,
    "*.": /not a host name/,
    ".": /not a host name/,
    "": /not a host name/,
    "..a": /not a host name/,
    "a b": /not a host name/,
    "1.2.3.4": /not a host name/,
    "a.com:443": /not a host name/,
    "~": /must be followed by a regular expression/,
    "~*": /must be followed by a regular expression/,
    "~(": /^it is not a JavaScript regular expression: [^/]+$/,
    "~\\q": /not a JavaScript regular expression/,
  };
  for (const [text, reason] of Object.entries(refused)) {
    test(`refuses '${text}'`, () => {
      const result = parsePattern(text, toAscii);
      assert.match((result as { error: string }).error, reason);
    });
  }

  test("regular expressions ignore case and hold no state", () => {
    for (const text of ["~^DB[0-9]+\\.corp$", "~*^db[0-9]+\\.Corp$"]) {
      const pattern = parsePattern(text, toAscii);
      assert.ok("kind" in pattern && pattern.kind === "regex");
      const regex = patternRegex(pattern.source);
      assert.equal(regex.flags, "iu");
      assert.equal(regex.test("db12.corp"), true);
      assert.equal(regex.test("db12.corp"), true);
      assert.equal(regex.test("db12xcorp"), false);
    }
  });

  test("any text gives a pattern or an error", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 30 }), fc.constantFrom("", "~", "*.", "."), (text, start) => {
        const result = parsePattern(start + text, toAscii);
        assert.equal("kind" in result, !("error" in result));
      }),
    );
  });

  test("patternKey is one for one meaning", () => {
    const key = (text: string): string => patternKey(parsePattern(text, toAscii) as RoutePattern);
    assert.equal(key("*.A.com."), key("*.a.com"));
    assert.equal(key(".a.com"), key("*.a.com"));
    assert.equal(key("~*a"), key("~a"));
    const all = ["a.com", "*.a.com", "a.com.*", "~a.com", "default", "default."].map(key);
    assert.equal(new Set(all).size, all.length);
  });
});
