import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inOrder as inOrderOfFile } from "../../../src/config/fault.ts";
import { formatConfigError, loadConfig, readConfig } from "../../../src/config/load.ts";
import { SimpleLines } from "../../../src/config/simple_lines.ts";
import { readYaml } from "../../../src/config/yaml_source.ts";
import { routesOf } from "../../../src/route_table/route_reader.ts";

const HEAD = "listeners: [{ address: 10.0.0.1:443 }]\nroutes:\n";
const toAscii = (name: string): string => name.replace("ü", "u");

/** Simple lines, numbered. */
function lines(count: number, name = "n", indent = "  "): string {
  return Array.from({ length: count }, (_, index) => `${indent}${name}${index}.test: 10.0.0.1:${index + 1}\n`).join("");
}

/** Routes with their lines, or the faults. */
function load(text: string): readonly string[] {
  const loaded = loadConfig(text, { path: "c", toAscii });
  if ("errors" in loaded) return loaded.errors.map(formatConfigError);
  const { routes, listeners } = loaded.config;
  const tables = [...new Set([routes, ...listeners.map((listener) => listener.routes)])];
  return tables.flatMap((table) => [...routesOf(table)].map(({ text: name, line }) => `${line} ${name}`));
}

/** The same, with every line parsed: a comment behind every other one leaves no run. */
function loadWhole(text: string): readonly string[] {
  const { errors } = readYaml(text, "c");
  if (errors.length > 0) return inOrderOfFile(errors, "c").map(formatConfigError);
  return load(text.replace(/:(\d*[13579])$/gm, ":$1 #"));
}

/** In the order of the file. */
const inOrder = (routes: readonly string[]): string[] =>
  [...routes].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));

function assertSame(text: string): void {
  assert.deepEqual(inOrder(load(text)), inOrder(loadWhole(text)));
}

describe("simple lines", () => {
  test("are taken out of the text, but for the first and the last of a run", () => {
    const text = `${HEAD}${lines(300)}  default: reject\n`;
    const found = SimpleLines.find(text, new Set());
    assert.equal(found?.rest, `${HEAD}  n0.test: 10.0.0.1:1\n  n299.test: 10.0.0.1:300\n  default: reject\n`);
    assert.equal(SimpleLines.find(`${HEAD}${lines(200)}`, new Set()), undefined);
    const { value } = readYaml(text, "c", found);
    const map = (value as { routes: object }).routes;
    const pairs = [...found!.pairsOf(map)];
    assert.equal(pairs.length, 298);
    assert.deepEqual(pairs[0], { key: "n1.test", value: "10.0.0.1:2", line: 4 });
    assert.deepEqual(pairs.at(-1), { key: "n298.test", value: "10.0.0.1:299", line: 301 });
    assert.ok(found!.isSettled(0));
  });

  test("a file with them is what it is without", () => {
    const special = '  "~^x[0-9]": 10.0.0.2:1\n  bücher.test: 10.0.0.3:1\n\n  # why\n';
    for (const text of [
      `${HEAD}${lines(300)}`,
      `${HEAD}${lines(300)}${special}${lines(300, "m")}  default: reject\ntimeouts: { idle: 5s }\n`,
      `${HEAD}${lines(300)}${special}${lines(100, "m")}  "a.*": direct\n${lines(400, "o")}`,
      `listeners:\n  - address: 10.0.0.1:443\n    routes:\n${lines(300, "a", "      ")}  - address: 10.0.0.1:444\nroutes:\n${lines(300)}`,
      `---\n${HEAD}${lines(300)}...\n`,
    ]) {
      assertSame(text);
      assert.ok(load(text).length >= 300, load(text)[0]!);
    }
  });

  test("what only looks like them is what it was", () => {
    const others = "log: { access: { format: '$reason";
    for (const text of [
      `x: |\n${lines(300)}${HEAD}  a: direct\n`,
      `x: "\n${lines(300)}"\n${HEAD}  a: direct\n`,
      `x: {\n${lines(300)}}\n${HEAD}  a: direct\n`,
      `${HEAD}${lines(300)}    more\n`,
      `${HEAD}  a: direct\n   b: direct\n${lines(300)}`,
      `${HEAD}${lines(300, "n", "   ")}${lines(300, "m", "  ")}`,
      `upstreams:\n${lines(300)}${HEAD}  a: direct\n`,
      `${others}\n${lines(300)}' } }\n${HEAD}  a: direct\n`,
      `a: &x\n${lines(300)}${HEAD}  <<: *x\n`,
      `listeners:\n  - address: 10.0.0.1:443\n    routes: &r\n${lines(300, "n", "      ")}  - { address: "10.0.0.1:444", routes: *r }\n`,
    ]) {
      assertSame(text);
    }
  });

  test("faults among them are told with their place", () => {
    const text = `${HEAD}${lines(300)}  bad.test: nowhere\n${lines(300, "m")}`;
    assert.deepEqual(load(text), loadWhole(text));
    assert.match(load(text)[0]!, /^c:303:13: Cannot route 'bad\.test' to 'nowhere'/);
    const twice = `${HEAD}${lines(300)}  n7.test: direct\n${lines(300, "m")}`;
    assert.deepEqual(load(twice), ["c:303:3: Cannot use the key 'n7.test' in routes twice: it is already on line 10"]);
    const meaning = `${HEAD}${lines(300)}${lines(300, "N")}`;
    assert.equal(load(meaning).length, 300);
    assert.equal(
      load(meaning)[0],
      "c:303:3: Cannot use the route 'N0.test': 'n0.test' on line 3 is for the same names",
    );
    const many = `${HEAD}${lines(1_500).replaceAll("10.0.0.1", "10.0.0.999")}`;
    assert.equal(load(many).length, 1_500);
    assert.match(load(many)[1_499]!, /^c:1502:15: /);
  });

  test("of an included file, too", () => {
    const main = `listeners: [{ address: "10.0.0.1:443" }]\ninclude: [a, b]\nroutes:\n${lines(300)}`;
    const included = (b: string) => [
      { path: "a", text: `routes:\n${lines(300, "a")}` },
      { path: "b", text: `routes:\n${lines(300, "b")}${b}` },
    ];
    const reading = readConfig({ path: "c", text: main });
    assert.deepEqual(reading.includes, ["a", "b"]);
    const loaded = reading.check(included(""), toAscii);
    assert.ok("config" in loaded, JSON.stringify(loaded));
    const routes = [...routesOf(loaded.config.routes)];
    assert.equal(routes.length, 900);
    const ofB = routes.find(({ text }) => text === "b7.test");
    assert.deepEqual([ofB?.line, ofB?.file], [9, "b"]);
    const faulty = readConfig({ path: "c", text: main }).check(included("  n7.test: direct\n  x: nowhere\n"), toAscii);
    assert.ok("errors" in faulty);
    assert.deepEqual(faulty.errors.map(formatConfigError), [
      "b:302:3: Cannot use the key 'n7.test' in routes twice: it is already on line 11",
      "b:303:6: Cannot route 'x' to 'nowhere': no upstream has that name; define it under upstreams, or write host:port",
    ]);
  });
});
