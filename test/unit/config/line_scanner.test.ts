import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LineScanner } from "../../../src/config/line_scanner.ts";
import { readYaml } from "../../../src/config/yaml_source.ts";

function scan(line: string): readonly [string, string] | undefined {
  const scanner = new LineScanner(line);
  return scanner.scan(0) ? [scanner.key, scanner.value] : undefined;
}

describe("line scanner", () => {
  test("knows simple lines", () => {
    assert.deepEqual(scan("  a.com: direct"), ["a.com", "direct"]);
    assert.deepEqual(scan(' "*.a.com":  10.0.0.1'), ["*.a.com", "10.0.0.1"]);
    assert.deepEqual(scan("    'mail.*': \"[2001:db8::1]:443\""), ["mail.*", "[2001:db8::1]:443"]);
    assert.deepEqual(scan("  .a.com: unix:/run/a.sock"), [".a.com", "unix:/run/a.sock"]);
    assert.deepEqual(scan('  a: ""'), ["a", ""]);
    assert.deepEqual(scan("  a_b-c: a.test:443\n  d: e"), ["a_b-c", "a.test:443"]);
  });

  test("and leaves what may mean something else", () => {
    for (const line of [
      "a.com: direct",
      "  a.com: ",
      "  a.com:",
      "  a.com:direct",
      "  a.com : direct",
      "  a.com: direct # why",
      "  a.com: direct ",
      "  a.com: direct\r",
      "\ta.com: direct",
      "  a.com: &x direct",
      "  a.com: *x",
      "  a.com: !!str direct",
      "  a.com: { to: direct }",
      "  a.com: |",
      "  a.com: true",
      "  a.com: NULL",
      "  a.com: 443",
      "  a.com: 1.5",
      "  a.com: 1e3",
      "  a.com: 0x1f",
      "  a.com: -1",
      "  a.com: .5",
      "  a.com: .inf",
      "  a.com: ~",
      "  a.com: a:",
      "  a.com: a: b",
      '  a.com: "a\\n"',
      '  a.com: "a',
      "  a.com: 'a''b'",
      "  - a: b",
      "  -a: b",
      "  ? a",
      "  *a : b",
      "  *a: b",
      "  a b: c",
      "  bücher.test: direct",
      "  # a: b",
      "  123: direct",
      "  ~^a: direct",
      '  "~^a": direct',
      "  default: reject",
      '  "default": reject',
      '  "": direct',
      "",
      "   ",
    ]) {
      assert.equal(scan(line), undefined, JSON.stringify(line));
    }
  });

  test("goes from line to line", () => {
    const scanner = new LineScanner("routes:\n  a: b:1\n\n  c: d");
    assert.deepEqual([scanner.scan(0), scanner.next], [false, 8]);
    assert.deepEqual([scanner.scan(8), scanner.next, scanner.indent, scanner.keyAt], [true, 17, 2, 10]);
    assert.deepEqual([scanner.scan(17), scanner.next], [false, 18]);
    assert.deepEqual([scanner.scan(18), scanner.value, scanner.next], [true, "d", 25]);
  });

  test("whatever is simple, the YAML library reads in the same way", () => {
    const part = fc.oneof(
      fc.constantFrom(
        "a",
        "Z",
        "0",
        "9",
        ".",
        "-",
        "_",
        ":",
        "/",
        "'",
        '"',
        "*",
        "~",
        "#",
        " ",
        "&",
        "!",
        "{",
        "[",
        "\\",
        "%",
        "@",
        "`",
        "|",
        ">",
        "?",
        ",",
        "e",
        "x",
        "true",
        "null",
        "inf",
        "<<",
        "=",
        "\t",
        "\r",
      ),
      fc.string({ maxLength: 3 }),
    );
    const word = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));
    const quoted = fc.tuple(fc.constantFrom("'", '"', ""), word).map(([quote, text]) => `${quote}${text}${quote}`);
    let simple = 0;
    fc.assert(
      fc.property(quoted, quoted, fc.constantFrom(": ", ":  ", ":", " : "), (key, value, colon) => {
        const line = `  ${key}${colon}${value}`;
        const found = scan(line);
        if (found === undefined) return;
        simple++;
        const read = readYaml(line, "");
        assert.deepEqual(read.errors, [], line);
        assert.deepEqual(Object.entries(read.value as object), [found], line);
      }),
      { numRuns: 20_000 },
    );
    assert.ok(simple > 500, String(simple));
  });
});
