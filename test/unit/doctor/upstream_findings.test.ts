import assert from "node:assert/strict";
import { test } from "node:test";
import { type ServerAnswer, upstreamFindings } from "../../../src/doctor/upstream_findings.ts";

const server = (address: string, error?: string, isBackup = false): ServerAnswer => ({ address, error, isBackup });
const find = (...answers: ServerAnswer[]): string[] =>
  upstreamFindings({ name: "pool" }, answers).map(({ id, subject, seen }) => `${id} ${subject}: ${seen}`);

test("what the servers of an upstream come to", () => {
  assert.deepEqual(find(), []);
  assert.deepEqual(find(server("a"), server("b")), ["upstream_well upstream pool: 2 servers"]);
  assert.deepEqual(find(server("a", "refused"), server("b"), server("c", undefined, true)), [
    "upstream_partly_down upstream pool: 1 of 3 servers down: a: refused",
  ]);
  assert.deepEqual(find(server("a", "refused"), server("c", undefined, true)), [
    "upstream_on_backups upstream pool: 1 of 2 servers down: a: refused",
  ]);
  assert.deepEqual(find(server("a", "refused")), ["upstream_down upstream pool: 1 of 1 server down: a: refused"]);
  const many = Array.from({ length: 7 }, (_, index) => server(`s${index}`, "x"));
  assert.match(find(...many)[0]!, /s4: x; and 2 more$/);
});
