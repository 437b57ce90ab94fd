import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { examineConfig } from "../../../src/doctor/config_examination.ts";

function findings(yaml: string): string[] {
  const loaded = loadConfig(yaml, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  return examineConfig(loaded.config).map(({ id, subject, seen }) => `${id} ${subject}: ${seen}`);
}

const routes = (...lines: string[]) =>
  findings(`listeners: [{ address: 10.0.0.5:443 }]\nroutes:\n${lines.map((line) => `  ${line}\n`).join("")}`);

describe("a configuration by itself", () => {
  test("one that is well has no findings", () => {
    const yaml = `
listeners: [{ address: 10.0.0.5:443 }]
routes: { a.test: pool, "*.a.test": direct, "~^db[0-9]+\\\\.corp$": 10.0.0.1:443, default: reject }
upstreams: { pool: { servers: [10.0.0.1:443] } }
`;
    assert.deepEqual(findings(yaml), []);
  });

  test("expressions that blow up, and those that cannot be judged", () => {
    assert.deepEqual(routes('"~^(a+)+$": direct', '"~(a)\\\\1": direct', '"~^[a-z]+$": direct'), [
      "regex_exponential ~^(a+)+$: on line 3",
      "regex_unknown ~(a)\\1: on line 4",
    ]);
  });

  test("routes that nothing meets", () => {
    assert.deepEqual(routes("'*.a.test': direct", "'~^x\\.a\\.test$': 10.0.0.1:1", "'~.*': direct", "'~^b': direct"), [
      "route_shadowed ~^x\\.a\\.test$: on line 4; *.a.test takes every name of it",
      "route_shadowed ~^b: on line 6; ~.* takes every name of it",
    ]);
  });

  test("expressions below a wildcard, which comes first", () => {
    assert.deepEqual(
      routes(
        "'*.corp.test': direct",
        "'mail.*': direct",
        "'~^db[0-9]+\\.corp\\.test$': 10.0.0.1:1",
        "'~^mail\\.[a-z]+$': direct",
        "'~^db[0-9]+\\.test$': direct",
        "'~^(a|b)\\.corp\\.test$': direct",
        "'~^a\\.corp\\.test$|^b': direct",
        "'~^x[.]corp[.]test': direct",
      ).map((line) => line.replace(/:.*;/, ";")),
      [
        "route_shadowed ~^db[0-9]+\\.corp\\.test$; *.corp.test takes every name of it",
        "route_shadowed ~^mail\\.[a-z]+$; mail.* takes every name of it",
        "route_shadowed ~^(a|b)\\.corp\\.test$; *.corp.test takes every name of it",
      ],
    );
  });

  test("routes that a wildcard has said already, and none that says something else", () => {
    assert.deepEqual(
      routes(
        "'*.a.test': direct",
        "x.a.test: direct",
        "y.a.test: reject",
        "z.a.test: { to: direct, onChange: cut }",
        "b.test: direct",
      ),
      ["route_redundant x.a.test: on line 4; *.a.test says the same"],
    );
    assert.deepEqual(routes("'.a.test': direct", "'*.b.a.test': direct", "'*.c.a.test': reject"), [
      "route_redundant *.b.a.test: on line 4; .a.test says the same",
    ]);
    assert.deepEqual(routes("'*.test': reject", "'*.a.test': direct", "x.a.test: reject"), []);
  });

  test("global routes that no listener has, upstreams that nobody reaches", () => {
    const yaml = `
listeners: [{ address: 10.0.0.5:443, routes: { a.test: used } }]
routes: { b.test: direct }
upstreams:
  used: { servers: [10.0.0.1:443] }
  spare: { servers: [10.0.0.1:443] }
`;
    assert.deepEqual(findings(yaml), [
      "routes_unused routes: 1 routes, and no listener without its own",
      "upstream_unused upstream spare: 1 server",
    ]);
  });

  test("a kind's destination is a use", () => {
    const yaml = `
listeners: [{ address: 10.0.0.5:443, protocol: "any", ssh: box, other: reject, routes: {} }]
upstreams: { box: { servers: [10.0.0.1:22] } }
`;
    assert.deepEqual(findings(yaml), []);
  });
});
