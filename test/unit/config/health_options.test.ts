import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Fault } from "../../../src/config/fault.ts";
import { checkHealthCheck } from "../../../src/config/health_conflicts.ts";
import { buildHealthCheck, toHealthCheck } from "../../../src/config/health_options.ts";

const schema = buildHealthCheck((name) => name);
const read = (value: unknown) => toHealthCheck(schema.parse(value));
const refusals = (value: unknown): string[] => {
  const issues = schema.safeParse(value).error?.issues ?? [];
  return issues.flatMap((issue) => ("errors" in issue ? issue.errors.flat() : [issue])).map(({ message }) => message);
};

function conflicts(value: unknown): string[] {
  const faults: Fault[] = [];
  checkHealthCheck(schema.parse(value), ["healthCheck"], faults);
  return faults.map(({ at, message }) => `${at.join(".")} ${message}`);
}

describe("what is left out", () => {
  test("the short form has every default", () => {
    assert.deepEqual(read("tcp"), {
      type: "tcp",
      interval: 5_000,
      timeout: 2_000,
      rise: 2,
      fall: 3,
      port: undefined,
      serverName: undefined,
      verify: false,
      expiryWarning: 14 * 86_400_000,
      request: { method: "GET", path: "/", host: undefined, expect: { from: 200, to: 399 } },
      onDown: "keep",
    });
    assert.deepEqual(read({ type: "tcp" }), read("tcp"));
  });

  test("a short interval has a short timeout", () => {
    assert.equal(read({ type: "tcp", interval: "500ms" }).timeout, 500);
    assert.deepEqual(conflicts({ type: "tcp", interval: "500ms" }), []);
  });
});

test("statuses: one, or a range", () => {
  const expect = (value: unknown) => read({ type: "http", expect: value }).request.expect;
  assert.deepEqual(expect(204), { from: 204, to: 204 });
  assert.deepEqual(expect("200-299"), { from: 200, to: 299 });
  for (const bad of [99, 600, "2xx", "300-200", "200-", true]) {
    assert.ok(refusals({ type: "http", expect: bad }).join().includes("a status such as 200"), String(bad));
  }
});

test("nothing that would end a line or a field gets into a request", () => {
  for (const path of ["health", "/a b", "/a\r\nX: y", "/ä", `/${"x".repeat(1024)}`]) {
    assert.match(refusals({ type: "http", path }).join(), /must begin with \//);
  }
  for (const host of ["", "a b", "a\r\nX: y"]) assert.match(refusals({ type: "http", host }).join(), /must be a host/);
  assert.match(refusals({ type: "tls", serverName: "a_b c" }).join(), /must be a host name/);
  assert.match(refusals("https").join(), /it must be tcp, tls or http/);
});

test("options that contradict each other", () => {
  assert.deepEqual(conflicts({ type: "tls", interval: "1s", timeout: "2s", serverName: "a.test", verify: true }), [
    "healthCheck.timeout Cannot use a timeout of 2s for a health check: checks come every 1s (interval); shorten it, or lengthen the interval",
  ]);
  assert.deepEqual(conflicts({ type: "tcp", path: "/x", verify: false }), [
    "healthCheck.verify Cannot use 'verify' with a health check of type tcp: only checks of type tls look at serverName, verify and expiryWarning",
    "healthCheck.path Cannot use 'path' with a health check of type tcp: only checks of type http look at method, path, host and expect",
  ]);
});
