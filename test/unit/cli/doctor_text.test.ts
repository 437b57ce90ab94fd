import assert from "node:assert/strict";
import { test } from "node:test";
import { findingsText } from "../../../src/cli/doctor_text.ts";
import { COLOUR, PLAIN } from "../../../src/cli/style.ts";
import { FINDINGS, type FindingId, finding, worstFirst } from "../../../src/doctor/finding.ts";

test("one kind together, the worst first, what is common once", () => {
  const text = findingsText(
    worstFirst([
      finding("server_well", "ok.test", "s:443"),
      finding("server_unreachable", "a.test", "10.0.0.1:443: connection refused"),
      finding("server_unreachable", "b.test", "10.0.0.1:443: connection refused"),
    ]),
    PLAIN,
  );
  assert.deepEqual(text.split("\n"), [
    "fault    server_unreachable",
    "  a.test: 10.0.0.1:443: connection refused",
    "  b.test: 10.0.0.1:443: connection refused",
    "    why: clients that are routed there are turned away",
    "     do: see that the server runs and that this machine may reach it: certless",
    "         probe asks all of them",
    "",
    "ok       server_well",
    "  ok.test: s:443",
    "3 findings: 2 findings to look at",
    "",
  ]);
});

test("it fits 80 columns, whatever was seen; nothing foreign moves the cursor", () => {
  const ids = Object.keys(FINDINGS) as FindingId[];
  const foreign = `${"x".repeat(300)} \u001b[2J\u202e${" word".repeat(60)}`;
  const text = findingsText(
    ids.map((id) => finding(id, foreign, foreign)),
    PLAIN,
  );
  assert.ok(text.split("\n").every((line) => line.length <= 80));
  assert.doesNotMatch(text, /[^\n -~§]/);
});

test("many of one kind are counted", () => {
  const findings = Array.from({ length: 25 }, (_, index) => finding("server_well", `n${index}.test`, "s"));
  const text = findingsText(findings, PLAIN);
  assert.match(text, /^ {2}n4\.test: s\n {2}and 20 more \(--json has all\)\n25 findings: nothing is wrong\n$/m);
});

test("colours only where they are wanted", () => {
  const one = [finding("loop", "a.test", "x")];
  assert.ok(findingsText(one, COLOUR).includes("\u001b[31mfault   \u001b[0m"));
  assert.ok(!findingsText(one, PLAIN).includes("\u001b"));
});
