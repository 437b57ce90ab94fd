import assert from "node:assert/strict";
import { test } from "node:test";
import { serverFindings } from "../../../src/doctor/server_findings.ts";
import { CERTIFICATE } from "../health/health_fixture.ts";

const DAY = 86_400_000;
const NOW = 1_800_000_000_000;
const GOOD = { ...CERTIFICATE, notBefore: NOW - DAY, notAfter: NOW + 90 * DAY };

function find(certificate: Partial<typeof GOOD> | undefined, error?: string): string[] {
  const names = [{ serverName: "a.test", certificate: certificate && { ...GOOD, ...certificate }, error }];
  return serverFindings("a.test", "s:443", { error, duration: 1, names }, NOW).map(({ id, seen }) => `${id}: ${seen}`);
}

test("what a server shows", () => {
  assert.match(find({})[0]!, /^server_well: s:443: 90 days left, until 2027-\d\d-\d\d, by CA one$/);
  assert.match(find({ notAfter: NOW + 3 * DAY })[0]!, /^certificate_ends: s:443: 3 days left/);
  assert.match(find({ notAfter: NOW - 1 })[0]!, /^certificate_unfit: .*expired/);
  assert.match(find({ mismatch: "other\u001b.test" })[0]!, /^certificate_unfit: .*does not fit: other\\x1b\.test/);
  assert.deepEqual(
    find({ notBefore: NOW + DAY }).map((line) => line.replace(/:.*/, "")),
    ["certificate_unfit", "clock"],
  );
  assert.deepEqual(find(undefined, "connection refused"), ["server_unreachable: s:443: connection refused"]);
});
