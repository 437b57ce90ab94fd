import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Fault, NOWHERE } from "../../../src/config/fault.ts";
import { NO_ROUTES, readRoutes } from "../../../src/config/routes.ts";
import { routesOf } from "../../../src/route_table/route_reader.ts";

function read(value: unknown): { table: ReturnType<typeof readRoutes>; faults: Fault[] } {
  const faults: Fault[] = [];
  const context = { toAscii: (name: string) => name, upstreams: new Set(["pool"]), positions: NOWHERE, faults };
  return { table: readRoutes(value, ["routes"], context), faults };
}

describe("readRoutes", () => {
  test("one of each pattern", () => {
    const { table, faults } = read({
      "a.com": "pool",
      "*.a.com": "direct",
      ".b.com": { to: "direct", allowPrivate: true },
      "mail.*": "10.0.0.1",
      "~x": "reject",
      default: "pool",
    });
    assert.deepEqual(faults, []);
    assert.deepEqual(
      [...routesOf(table)].map(({ kind, to, allowPrivate }) => `${kind} ${to.kind} ${allowPrivate}`),
      ["exact upstream false", "suffix direct false", "suffix direct true", "prefix ip false", "regex reject false"],
    );
    assert.deepEqual(table.default, { kind: "upstream", name: "pool" });
  });

  test("what is wrong is left out, and every fault is told", () => {
    const { table, faults } = read({ "a b": "x", "a.com": "pool", "A.com": 5, "b.com": null, default: "direct" });
    assert.deepEqual(
      [...routesOf(table)].map(({ text }) => text),
      ["a.com"],
    );
    assert.deepEqual(table.default, { kind: "reject" });
    assert.deepEqual(
      faults.map(({ code, at }) => `${code} ${at[1]}`),
      [
        "bad_pattern a b",
        "bad_destination a b",
        "duplicate_route A.com",
        "wrong_type A.com",
        "wrong_type b.com",
        "open_proxy default",
      ],
    );
  });

  for (const value of [null, 5, "a", [], true]) {
    test(`${JSON.stringify(value)} is no map`, () => {
      const { table, faults } = read(value);
      assert.equal(table, NO_ROUTES);
      assert.equal(faults.length, 1);
    });
  }

  test("`.a.com` and `*.a.com` exclude each other, `a.com` and `*.a.com` do not", () => {
    assert.equal(read({ ".a.com": "pool", "*.a.com": "pool" }).faults[0]?.code, "duplicate_route");
    assert.deepEqual(read({ ".a.com": "pool", "a.com": "pool" }).faults, []);
  });

  test("100,000 routes do not take quadratic time", { timeout: 20_000 }, () => {
    const routes: Record<string, string> = {};
    for (let i = 0; i < 100_000; i++) routes[`host-${i}.test`] = "pool";
    assert.equal(read(routes).table.size, 100_000);
  });
});
