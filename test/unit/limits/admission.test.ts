import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseCidr } from "../../../src/address.ts";
import { createCidrSet } from "../../../src/cidr_set.ts";
import type { AccessConfig, LimitsConfig } from "../../../src/config/config.ts";
import { type ConnectionRecord, newRecord } from "../../../src/connection_record.ts";
import { Admission, limitsNeeded, refusedBy, Visit, WorkerLimits, withRate } from "../../../src/limits/admission.ts";
import { createLimitsMemory } from "../../../src/limits/limits_memory.ts";

const LIMITS: LimitsConfig = { connections: "auto", dryRun: false, prereadBytes: 1024, prereadTotal: 65536 };

function record(ip = "192.0.2.1"): ConnectionRecord {
  const client = { kind: "tcp", ip, port: 5 } as const;
  return newRecord(1, 1_700_000_000_000, "", "tls", client, client);
}

const denying = (network: string, dryRun = false): AccessConfig => ({
  rules: [{ allow: false, networks: createCidrSet([parseCidr(network) ?? assert.fail()]), unix: false }],
  otherwise: true,
  dryRun,
});

function admission(limits: Partial<LimitsConfig>, access?: AccessConfig): Admission {
  const random = () => 0.5;
  const memory = createLimitsMemory({ workers: 1, connectionLimit: 10, perClient: true, random });
  return new Admission(access, new WorkerLimits({ ...LIMITS, ...limits }, memory, 0));
}

/** One connection that has come as far as its client is known. */
function visit(here: Admission, of = record()): { visit: Visit; reason: string | undefined; record: ConnectionRecord } {
  const made = new Visit(here);
  const refusal = made.arrived(of) ?? made.identified(of);
  if (refusal !== undefined) made.ended();
  return { visit: made, reason: refusal?.reason, record: of };
}

describe("admission", () => {
  test("lists first: who is denied takes up nothing", () => {
    const here = admission({ perClient: 1 }, denying("192.0.2.0/24"));
    for (let i = 0; i < 3; i++) assert.equal(visit(here).reason, "access_denied");
    assert.equal(visit(here, record("198.51.100.1")).reason, undefined);
    assert.equal(visit(here, record("198.51.100.1")).reason, "per_client_limit");
  });

  test("each limit has its own reason, and everything is given back once", () => {
    for (const [limits, reason] of [
      [{ perClient: 1 }, "per_client_limit"],
      [{ handshakes: 1 }, "handshakes_limit"],
    ] as const) {
      const here = admission(limits);
      const first = visit(here);
      for (let i = 0; i < 2; i++) assert.equal(visit(here).reason, reason);
      for (let i = 0; i < 2; i++) first.visit.ended();
      assert.equal(visit(here).reason, undefined);
      assert.equal(visit(here).reason, reason);
    }
    const paced = admission({ newPerSecond: 1 });
    assert.deepEqual([visit(paced).reason, visit(paced).reason], [undefined, "new_per_second_limit"]);
  });

  test("a connection that has its server is no handshake any more", () => {
    const here = admission({ handshakes: 1 });
    const first = visit(here);
    first.visit.handshakeOver();
    assert.equal(visit(here).reason, undefined);
    first.visit.ended();
    assert.equal(visit(here).reason, "handshakes_limit");
  });

  test("a client is judged once, whatever else comes", () => {
    const here = admission({ perClient: 1 });
    const { visit: first, record: of } = visit(here);
    assert.equal(first.identified(of), undefined);
    first.ended();
    assert.equal(visit(here).reason, undefined);
  });

  test("a client without an address is not counted", () => {
    const here = admission({ perClient: 1 });
    const client = { kind: "unix", path: "/run/a" } as const;
    for (let i = 0; i < 3; i++) {
      assert.equal(visit(here, newRecord(1, 0, "", "tls", client, client)).reason, undefined);
    }
  });

  test("a dry run refuses nobody and writes down the first reason", () => {
    const here = admission({ perClient: 1, handshakes: 1, dryRun: true }, denying("198.51.100.0/24", true));
    assert.equal(visit(here).record.wouldReject, undefined);
    const second = visit(here);
    assert.deepEqual([second.reason, second.record.wouldReject], [undefined, "handshakes_limit"]);
    const third = visit(admission({}, denying("192.0.2.0/24", true)));
    assert.deepEqual([third.reason, third.record.wouldReject], [undefined, "access_denied"]);
  });

  test("a list says whose it is", () => {
    assert.equal(
      refusedBy(denying("192.0.2.0/24"), record(), "the route a.com")?.detail,
      "192.0.2.1 is not let in by the route a.com",
    );
    assert.equal(refusedBy(denying("10.0.0.0/8"), record(), "the listener"), undefined);
  });

  test("rates: the route's, else the listener's, each direction for itself", () => {
    assert.equal(withRate(undefined, undefined, undefined), undefined);
    assert.deepEqual(withRate(undefined, { down: 5 }, { down: 7, up: 9 })?.rate, { down: 5, up: 9 });
    const known = new Visit(undefined);
    assert.equal(withRate(known, undefined, { up: 9 }), known);
    assert.deepEqual(known.rate, { down: undefined, up: 9 });
  });

  test("memory is only needed for what is counted", () => {
    assert.deepEqual(limitsNeeded(LIMITS), { any: false, clients: false });
    assert.deepEqual(limitsNeeded({ ...LIMITS, handshakes: 5 }), { any: true, clients: false });
    assert.deepEqual(limitsNeeded({ ...LIMITS, newPerSecond: 5 }), { any: true, clients: true });
  });
});
