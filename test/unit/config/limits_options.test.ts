import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buildLimits, buildRate } from "../../../src/config/limits_options.ts";
import { loadConfig } from "../../../src/config/load.ts";

function messages(limits: string): string[] {
  const text = `listeners: [{ address: 10.0.0.1:443 }]\nroutes: { a.com: 192.0.2.1 }\nlimits: ${limits}\n`;
  const loaded = loadConfig(text, { path: "", toAscii: (name) => name });
  return "errors" in loaded ? loaded.errors.map(({ message }) => message) : [];
}

describe("limits options", () => {
  test("what is left out is no limit", () => {
    assert.deepEqual(buildLimits().parse({}), {
      connections: "auto",
      dryRun: false,
      prereadBytes: 65_536,
      prereadTotal: 67_108_864,
    });
    const all = { connections: 8000, perClient: 100, newPerSecond: 50, burst: 80, handshakes: 500, dryRun: true };
    const parsed = buildLimits().parse(all);
    assert.deepEqual({ ...parsed, ...all }, parsed);
  });

  test("rates are sizes", () => {
    assert.deepEqual(buildRate().parse({ down: "10MB", up: "1MB" }), { down: 10_000_000, up: 1_000_000 });
    assert.deepEqual(buildRate().parse({ down: 4096 }), { down: 4096 });
    for (const down of ["999B", 0, -1, "fast", "10mb/s"])
      assert.ok(!buildRate().safeParse({ down }).success, `${down}`);
  });

  test("faults", () => {
    assert.deepEqual(messages("{ perClient: 0 }"), [
      "Cannot use limits.perClient 0: it must be a whole number from 1 to 1000000",
    ]);
    assert.deepEqual(messages("{ newPerSecond: many }"), [
      "Cannot use limits.newPerSecond 'many': it must be a whole number from 1 to 1000000",
    ]);
    assert.deepEqual(messages("{ burst: 5 }"), [
      "Cannot use limits.burst: it says how many of limits.newPerSecond may come at once; add that, or remove burst",
    ]);
    assert.deepEqual(messages("{ burst: 5, newPerSecond: 5 }"), []);
  });
});
