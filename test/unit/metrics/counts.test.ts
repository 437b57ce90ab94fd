import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { newRecord } from "../../../src/connection_record.ts";
import { Counts } from "../../../src/metrics/counts.ts";
import type { Reason } from "../../../src/reason.ts";

const PEER = { kind: "tcp", ip: "192.0.2.1", port: 5 } as const;

function ended(reason: Reason, wouldReject?: Reason) {
  const record = { ...newRecord(1, 0, "", "tls" as const, PEER, PEER), reason };
  return wouldReject === undefined ? record : { ...record, wouldReject };
}

describe("counts", () => {
  test("by reason, and by what a dry run would have said", () => {
    const counts = new Counts();
    for (const record of [ended("ok"), ended("ok", "access_denied"), ended("no_route")]) counts.add(record);
    assert.deepEqual(counts.snapshot, { ended: { ok: 2, no_route: 1 }, wouldReject: { access_denied: 1 } });
  });

  test("what is taken is told once, and sums are exact", () => {
    const [worker, all] = [new Counts(), new Counts()];
    assert.equal(worker.take(), undefined);
    for (let round = 0; round < 3; round++) {
      worker.add(ended("ok", "per_client_limit"));
      worker.add(ended("client_left"));
      const taken = worker.take();
      assert.ok(taken);
      all.merge(structuredClone(taken));
    }
    assert.deepEqual(all.snapshot, { ended: { ok: 3, client_left: 3 }, wouldReject: { per_client_limit: 3 } });
    assert.deepEqual(worker.snapshot, { ended: {}, wouldReject: {} });
  });
});
