import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckResult, NameResult } from "../../../src/health/check.ts";
import { CheckedServer } from "../../../src/health/checked_server.ts";
import { CERTIFICATE, planOf } from "./health_fixture.ts";

const WELL: CheckResult = { error: undefined, duration: 3, names: [] };
const REFUSED: CheckResult = { ...WELL, error: "connection refused" };

test("a line when it goes down and when it comes back, none in between", () => {
  const server = new CheckedServer(planOf("tcp")[0]!);
  const lines = (result: CheckResult, now: number) => server.add(result, now).lines;
  assert.deepEqual(server.add(WELL, 1_000), { changed: true, lines: [] });
  assert.deepEqual([...lines(REFUSED, 2_000), ...lines(REFUSED, 3_000)], []);
  assert.deepEqual(server.add(REFUSED, 4_000), {
    changed: true,
    lines: ["upstream pool: 10.0.0.1:443 is down after 3 failed checks: connection refused"],
  });
  assert.ok(server.isDown);
  assert.deepEqual([...lines(REFUSED, 5_000), ...lines(WELL, 6_000)], []);
  assert.deepEqual(lines(WELL, 16_400), [
    "upstream pool: 10.0.0.1:443 is up again after 2 good checks; it was down for 12 s",
  ]);
});

test("a name that fails while others do not, once each way; certificates", () => {
  const server = new CheckedServer(planOf("tls")[0]!);
  const served = (serverName: string): NameResult => ({ serverName, certificate: CERTIFICATE, error: undefined });
  const refused: NameResult = { serverName: "b.test", certificate: undefined, error: "closed" };
  const good = { ...WELL, names: [served("a.test"), served("b.test")] };
  const half = { ...WELL, names: [served("a.test"), refused] };
  const told = (result: CheckResult) => server.add(result, 0).lines.map((line) => line.replace(/^.*:443/, ""));
  assert.deepEqual(told(half), [": b.test fails while other names are well: closed"]);
  assert.deepEqual(told(half), []);
  assert.deepEqual(told(good), [": b.test is well again"]);
  const other = { ...CERTIFICATE, issuer: "CA two" };
  assert.deepEqual(told({ ...good, names: [{ ...served("a.test"), certificate: other }, served("b.test")] }), [
    ': the certificate for a.test now comes from "CA two", before from "CA one"',
  ]);
});

test("its status", () => {
  const server = new CheckedServer(planOf("tls")[0]!);
  assert.deepEqual(server.status(0), {
    address: "10.0.0.1:443",
    health: "unknown",
    since: undefined,
    checkedAt: undefined,
    duration: undefined,
    error: undefined,
    certificates: [],
  });
  const now = CERTIFICATE.notAfter - 3 * 86_400_000;
  server.add({ ...WELL, names: [{ serverName: "a.test", certificate: CERTIFICATE, error: undefined }] }, now);
  server.add({ ...REFUSED, duration: 9 }, now + 1);
  assert.deepEqual(server.status(now), {
    address: "10.0.0.1:443",
    health: "up",
    since: now,
    checkedAt: now + 1,
    duration: 9,
    error: "connection refused",
    certificates: [{ ...CERTIFICATE, serverName: "a.test", daysLeft: 3 }],
  });
});
