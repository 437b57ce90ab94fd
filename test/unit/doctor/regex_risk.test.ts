import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { regexRisk } from "../../../src/doctor/regex_risk.ts";

const SAFE = [
  "^db[0-9]+\\.corp$",
  "^(www|api)\\.example\\.com$",
  "^([a-z0-9-]+\\.)+example\\.com$",
  "^[a-z]+[0-9]+$",
  "(\\w+)\\.test$",
  "^(?:a|b)*c$",
  "^(a{2,5}b)+$",
  "^[a-z]+\\.[a-z]+\\.[a-z]+\\.corp$",
  "^.*-eu\\..*\\.corp$",
  "^(?<name>[^.]+)\\.x\\.test$",
  ".*",
  "",
  "a|b||c",
  "[]",
  "[^]",
  "[a\\-z.-]+",
  "\\.[A-Z]{2,}$",
];

const EXPONENTIAL = [
  "^(a+)+$",
  "^(a*)*$",
  "^(a|a)*$",
  "^(a|aa)+$",
  "^([a-z]+)*\\.test$",
  "^([a-z0-9]+-?)+\\.corp$",
  "^(\\w+\\d?)+x$",
  "^(.*)*x",
  "^(a?b?)*c*(a*)*$",
  "^((ab)*)*$",
  "^(x+x+)+y$",
  "^(?:[A-Z]|[a-f])+$",
  "^(a{1,3})+$",
];

const SLOW = ["^(.*)-(.*)-(.*)$", "^.*a.*b.*c$", "(.*)-(.*)x$", "^[a-z]+[a-z0-9]+\\w+$", ".*a.*b"];

describe("regular expressions that can take exponentially long", () => {
  for (const source of SAFE) test(`safe: ${source}`, () => assert.equal(regexRisk(source), "safe"));
  for (const source of EXPONENTIAL) test(`not: ${source}`, () => assert.equal(regexRisk(source), "exponential"));

  for (const source of SLOW) test(`slow: ${source}`, () => assert.equal(regexRisk(source), "slow"));

  test("one that is too large to be looked at is told apart from a safe one", () => {
    assert.equal(regexRisk(`^${"[a-z]?".repeat(300)}$`), "unknown");
  });

  test("what is not understood is said to be so", () => {
    for (const source of ["(a)\\1", "(?=a)b", "(?<!a)b", "\\p{L}+", "(?:a{300}){300}x{9}", "[a-\\d]", "\\u0041"]) {
      const risk = regexRisk(source);
      assert.ok(risk === "unknown" || source.startsWith("(?:a{300}"), `${source}: ${risk}`);
    }
    assert.equal(regexRisk("a".repeat(500)), "unknown");
  });

  test("those that it calls so do take long, and those that it calls safe do not", () => {
    const slow = /^(a|aa)+$/iu;
    const began = performance.now();
    slow.test(`${"a".repeat(27)}!`);
    const long = performance.now() - began;
    const again = performance.now();
    for (const source of SAFE) new RegExp(source, "iu").test(`${"a".repeat(250)}!`);
    assert.ok(long > (performance.now() - again) / 4, "the measure of this test");
  });

  test("whatever the source, it answers", () => {
    const piece = fc.constantFrom(
      "a",
      "b",
      "[a-c]",
      "(",
      ")",
      "|",
      "*",
      "+",
      "?",
      "{2}",
      "{1,}",
      ".",
      "\\d",
      "\\.",
      "[^a]",
      "^",
      "$",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const source = pieces.join("");
        try {
          new RegExp(source, "iu");
        } catch {
          return;
        }
        assert.ok(["safe", "slow", "exponential", "unknown"].includes(regexRisk(source)), source);
      }),
      { numRuns: 2_000 },
    );
  });
});
