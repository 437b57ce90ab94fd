import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { regexEnds } from "../../../src/doctor/regex_ends.ts";

describe("what names begin and end with that an expression matches", () => {
  for (const [source, head, tail] of [
    ["^db[0-9]+\\.corp$", "db", ".corp"],
    ["^(?:mail)\\.(a|b)\\.test$", "mail.", ".test"],
    ["^a.*", "a", ""],
    ["a\\.test$", "", "a.test"],
    ["^a|b$", "", ""],
    ["^a?b*c$", "", "c"],
    ["^a\\$", "a$", ""],
    ["^A[.]X$", "a.x", "a.x"],
    ["^(a)\\1$", "", ""],
  ] as const) {
    test(source, () => {
      // A character that no host name has is none of `ALPHABET`: such an expression matches nothing.
      assert.deepEqual(regexEnds(source), { head: head.replace("$", ""), tail });
    });
  }

  test("every name that it matches has these ends", () => {
    const piece = fc.constantFrom("a", "b", "\\.", "[ab]", "(", ")", "(?:", "|", "*", "+", "?", "{2}", ".", "^", "$");
    const name = fc.array(fc.constantFrom("a", "b", "."), { maxLength: 6 }).map((letters) => letters.join(""));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), fc.array(name, { maxLength: 40 }), (pieces, names) => {
        const source = pieces.join("");
        let expression: RegExp;
        try {
          expression = new RegExp(source, "iu");
        } catch {
          return;
        }
        const { head, tail } = regexEnds(source);
        for (const one of names) {
          if (expression.test(one)) assert.ok(one.startsWith(head) && one.endsWith(tail), `${source} ${one}`);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
