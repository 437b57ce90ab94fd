import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { changesBetween } from "../../../src/running/changes.ts";

function configOf(yaml: string) {
  const loaded = loadConfig(yaml, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  return loaded.config;
}

const BASE = `
listeners: [{ address: 10.0.0.5:443 }]
routes: { a.test: pool, b.test: 10.0.0.1:443, default: reject }
upstreams: { pool: { servers: [10.0.0.2:443] } }
`;

function between(after: string, before = BASE) {
  return changesBetween(configOf(before), configOf(after));
}

test("the same configuration, though its lines have moved, is no change", () => {
  assert.deepEqual(between(`# a comment\n\n${BASE}`), { changes: [], warnings: [] });
});

test("each thing that is different has a line", () => {
  const after = `
listeners: [{ address: 10.0.0.5:443, allow: [10.0.0.0/8] }, { address: 10.0.0.5:80, protocol: http }]
routes: { b.test: 10.0.0.9:443, c.test: direct, d.test: pool2 }
upstreams: { pool2: { servers: [10.0.0.2:443] } }
timeouts: { idle: 5m }
log: { access: false }
limits: { perClient: 9 }
watch: true
admin: { address: 127.0.0.1:9443 }
`;
  assert.deepEqual(between(after).changes, [
    "listener 10.0.0.5:443 changed",
    "listener 10.0.0.5:80 added",
    "routes: 2 added, 1 removed, 1 changed",
    "upstream pool2 added",
    "upstream pool removed",
    "timeouts changed",
    "limits changed",
    "log changed",
    "watch changed",
    "admin changed",
  ]);
});

test("what counts from the next start on is told as a warning", () => {
  const { warnings } = between(`${BASE}workers: 4\nadapter: node\nuser: nobody\ntcp: { userTimeout: 5s }\n`);
  assert.equal(warnings.length, 4);
  assert.match(warnings.join("\n"), /workers: 4 .*\nadapter: node .*\nuser: nobody .*\ntcp\.userTimeout/);
});

test("many routes are counted, not compared", () => {
  const many = (count: number) =>
    BASE.replace("a.test: pool,", Array.from({ length: count }, (_, index) => `n${index}.test: direct,`).join(" "));
  assert.deepEqual(between(many(3_000), many(2_000)).changes, ["routes: 2001 before, 3001 now"]);
});
