import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { RouteWalk } from "../../../src/route_table/route_walk.ts";

describe("route walk", () => {
  test("reads and passes by, in the order of the file", () => {
    const names = Array.from({ length: 50 }, (_, index) => `${index % 3 === 0 ? "*." : ""}r${index}.example.test`);
    const text = `listeners: [{ address: 0.0.0.0:443 }]\nroutes:\n${names.map((name) => `  "${name}": 192.0.2.1\n`).join("")}`;
    const loaded = loadConfig(text, { path: "t", toAscii: (name) => name });
    assert.ok("config" in loaded);
    const walk = new RouteWalk(loaded.config.routes);
    assert.equal(walk.read().text, names[0]);
    assert.equal(walk.pass(40), 40);
    assert.equal(walk.read().text, names[41]);
    assert.equal(walk.pass(100), 8);
    assert.ok(walk.isOver);
    assert.equal(walk.pass(1), 0);
  });
});
