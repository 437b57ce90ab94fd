import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nameMatcher } from "../../../src/config/include.ts";
import { configFromObject, formatConfigError, readConfig } from "../../../src/config/load.ts";
import { routesOf } from "../../../src/route_table/route_reader.ts";

const MAIN = `include: conf.d/*.yaml
listeners:
  - address: 10.0.0.5:443
routes:
  a.test: pool
upstreams:
  pool: { servers: [10.0.0.1:443] }
`;

function load(included: Readonly<Record<string, string>>, main = MAIN) {
  const files = Object.entries(included).map(([path, text]) => ({ path, text }));
  return readConfig({ path: "c.yaml", text: main }).check(files, (name) => name);
}

function faults(included: Readonly<Record<string, string>>, main = MAIN): string[] {
  const loaded = load(included, main);
  return "errors" in loaded ? loaded.errors.map(formatConfigError) : [];
}

describe("include", () => {
  test("lists are put one behind the other, maps together; references go both ways", () => {
    const loaded = load({
      "x.yaml": "listeners: [{ address: 10.0.0.5:80, protocol: http }]\nroutes:\n  b.test: pool\n  c.test: other\n",
      "y.yaml": "upstreams: { other: { servers: [10.0.0.2:443] } }\n",
      "empty.yaml": "# nothing yet\n",
    });
    assert.ok("config" in loaded, JSON.stringify(loaded));
    const { listeners, routes, upstreams } = loaded.config;
    assert.equal(listeners.length, 2);
    assert.deepEqual([...upstreams.keys()], ["pool", "other"]);
    assert.deepEqual(
      [...routesOf(routes)].map(({ text, file, line }) => [text, file, line]),
      [
        ["a.test", undefined, 5],
        ["b.test", "x.yaml", 3],
        ["c.test", "x.yaml", 4],
      ],
    );
    assert.equal(listeners[1]!.routes, listeners[0]!.routes);
  });

  test("faults stand in their own file; the main file's come first", () => {
    const x = "listeners:\n  - adress: 10.0.0.5:80\nroutes:\n  b.test: nowhere\n  c.test: [1]\nupstreams:\n  p: {}\n";
    assert.deepEqual(
      faults({ "x.yaml": x }, MAIN.replace("a.test: pool", "a.test: nowhere")).map((line) => line.replace(/: .*/, "")),
      ["c.yaml:5:11", "x.yaml:2:5", "x.yaml:2:5", "x.yaml:4:11", "x.yaml:5:11", "x.yaml:7:3"],
    );
  });

  test("what one file says no other says again", () => {
    const lines = faults({
      "x.yaml": "routes:\n  a.test: direct\n  b.test: direct\nupstreams:\n  pool: { servers: [10.0.0.9:443] }\n",
      "y.yaml": "routes:\n  b.test: direct\n  .B.test: direct\n  'A.test': direct\n",
    });
    assert.deepEqual(lines, [
      "x.yaml:2:3: Cannot use the key 'a.test' in routes twice: it is already on line 5",
      "x.yaml:5:3: Cannot use the key 'pool' in upstreams twice: it is already on line 7",
      "y.yaml:2:3: Cannot use the key 'b.test' in routes twice: it is already in x.yaml, line 3",
      "y.yaml:4:3: Cannot use the route 'A.test': 'a.test' on line 5 is for the same names",
    ]);
  });

  test("other options stand in the main file only", () => {
    assert.deepEqual(
      faults({ "x.yaml": "timeouts: { idle: 1s }\nrouts: {}\n", "y.yaml": "hello\n", "z.yaml": "routes: []\n" }),
      [
        "x.yaml:1:1: Cannot use the key 'timeouts' in an included file; the keys are listeners, routes and upstreams",
        "x.yaml:2:1: Cannot use the key 'routs' in an included file; did you mean 'routes'?",
        "y.yaml:1:1: Cannot include this: it must be a map with the keys listeners, routes and upstreams",
        "z.yaml:1:9: Cannot use routes: it must be a map",
      ],
    );
    assert.match(faults({ "x.yaml": "routes: {\n" })[0]!, /^x\.yaml:2:1: Cannot read the YAML/);
  });

  test("listeners and routes may all be in included files", () => {
    const loaded = load(
      { "x.yaml": "listeners: [{ address: 10.0.0.5:80 }]\nroutes: { __proto__: direct, constructor: direct }\n" },
      "include: [x.yaml]\n",
    );
    assert.ok("errors" in loaded ? loaded.errors.every(({ code }) => code === "bad_pattern") : true);
    assert.ok(
      "config" in load({ "x.yaml": "listeners: [{ address: 10.0.0.5:80 }]\nroutes: {}\n" }, "include: x.yaml\n"),
    );
  });

  test("what is included", () => {
    assert.deepEqual(readConfig({ path: "", text: "include: a.yaml" }).includes, ["a.yaml"]);
    assert.deepEqual(readConfig({ path: "", text: "include: [a, 7, b]" }).includes, ["a", "b"]);
    assert.deepEqual(readConfig({ path: "", text: "- include: a" }).includes, []);
    for (const [pattern, fault] of [
      ["conf.d/", /it must be the path of a file/],
      ["'*/a.yaml'", /only the last part/],
      ["[{}]", /it must be the path/],
    ] as const) {
      assert.match(faults({}, MAIN.replace("conf.d/*.yaml", pattern))[0]!, fault);
    }
  });

  test("a program's configuration includes nothing", () => {
    const loaded = configFromObject(
      { include: "x.yaml", listeners: [{ address: "10.0.0.5:1" }], routes: {} },
      { toAscii: (name) => name },
    );
    assert.ok("errors" in loaded);
    assert.match(loaded.errors[0]!.message, /Cannot use include/);
  });
});

test("patterns of names", () => {
  const yaml = nameMatcher("*.yaml");
  assert.deepEqual(["a.yaml", ".a.yaml", "a.yaml~", "a.yml", "a.b.yaml"].map(yaml), [true, false, false, false, true]);
  assert.deepEqual(["a1", "a12", "a"].map(nameMatcher("a?")), [true, false, false]);
  assert.deepEqual(["x+(y", "xx(y"].map(nameMatcher("x+(*")), [true, false]);
  assert.ok(nameMatcher(".*")(".hidden"));
});
