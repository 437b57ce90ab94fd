import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EndingAnswer, StatusAnswer } from "../../../src/admin/api.ts";
import { findings, type Known } from "../../../src/admin/findings.ts";
import type { CertificateStatus } from "../../../src/health/status.ts";
import { OUTCOME, server } from "./operated_fixture.ts";

const WELL: Known = {
  version: "9.9.9",
  runtime: "test",
  adapter: "test",
  startedAt: 0,
  now: 10_000_000,
  state: "running",
  workers: [{ worker: 1, open: 0, lag: 3 }],
  configuration: { path: "a.yaml", loadedAt: 0, reloads: 0, lastReload: OUTCOME },
  listeners: [],
  connections: { open: 10, limit: 100, accepted: 100 },
  bytes: { received: 0, sent: 0 },
  endings: [],
  memory: { resident: 0 },
  descriptors: { open: 10, limit: 100 },
  upstreams: [{ name: "pool", servers: [server("a:1"), server("b:1"), server("c:1", { service: "off" })] }],
  threads: [{ worker: 1, open: 0, lostAt: undefined }],
  droppedLines: 0,
};

function found(changes: Partial<Known>): string[] {
  return findings({ ...WELL, ...changes }).map(({ level, what }) => `${level}: ${what}`);
}

const pool = (...servers: Known["upstreams"][number]["servers"]): Partial<Known> => ({
  upstreams: [{ name: "pool", servers }],
});

function certificate(daysLeft: number): CertificateStatus {
  return { serverName: "a.test", daysLeft } as CertificateStatus;
}

function ending(reason: EndingAnswer["reason"], lastHour: number, isRejection: boolean): EndingAnswer {
  return { reason, count: lastHour, lastHour, meaning: "why", remedy: "do it", isRejection };
}

describe("findings", () => {
  test("all is well", () => assert.deepEqual(found({}), []));

  test("upstreams without a server are trouble, with fewer an attention", () => {
    const down = server("a:1", { service: "down", error: "connection refused" });
    assert.deepEqual(found(pool(down, server("b:1"))), [
      "attention: upstream pool: 1 of 2 servers out of service: a:1 is down (connection refused)",
    ]);
    assert.deepEqual(found(pool(down, server("b:1", { service: "failing" }))), [
      "trouble: upstream pool: no server is in service: a:1 is down (connection refused), b:1 fails clients",
    ]);
    const [taken] = findings({ ...WELL, ...pool(server("a:1", { service: "disabled" }), server("b:1")) });
    assert.match(taken?.remedy ?? "", /take it in again/);
  });

  test("certificates are told in their last two weeks, and after", () => {
    const with_ = (days: number) => found(pool(server("a:1", { certificates: [certificate(days)] })));
    assert.deepEqual(with_(15), []);
    assert.deepEqual(with_(14), ["attention: upstream pool: a:1: the certificate for a.test expires in 14 days"]);
    assert.deepEqual(with_(-1), ["trouble: upstream pool: a:1: the certificate for a.test has expired"]);
  });

  test("limits are told when they are near", () => {
    const open = (count: number): Partial<Known> => ({ connections: { open: count, limit: 100, accepted: 0 } });
    assert.deepEqual(found(open(89)), []);
    assert.deepEqual(found(open(90)), ["attention: 90 of 100 connections are open"]);
    assert.deepEqual(found(open(100)), ["trouble: 100 of 100 connections are open"]);
    assert.equal(found({ descriptors: { open: 95, limit: 100 } }).length, 1);
    assert.deepEqual(found({ descriptors: { open: undefined, limit: 100 } }), []);
  });

  test("many rejections of one kind are told with what to do, others are not", () => {
    const endings = [ending("ok", 100, false), ending("no_route", 30, true), ending("not_tls", 10, true)];
    assert.deepEqual(found({ endings }), ["attention: 30 connections ended with no_route in the last hour: why"]);
    assert.equal(findings({ ...WELL, endings })[0]?.remedy, "do it");
    assert.deepEqual(found({ endings: [ending("ok", 10_000, false), ending("no_route", 30, true)] }), []);
  });

  test("a refused reload, a lost worker, a late one, lost lines and a drain", () => {
    const lastReload = { ...OUTCOME, ok: false, reason: "Cannot read it" };
    const configuration: StatusAnswer["configuration"] = { ...WELL.configuration, lastReload };
    assert.match(found({ configuration })[0] ?? "", /^attention: the last reload was refused.*Cannot read it$/);
    const lost = [{ worker: 2, open: 0, lostAt: WELL.now - 120_000 }];
    assert.deepEqual(found({ threads: lost }), ["trouble: worker 2 ended 2 minutes ago and was replaced"]);
    assert.deepEqual(found({ threads: [{ worker: 2, open: 0, lostAt: WELL.now - 3_600_001 }] }), []);
    assert.deepEqual(found({ workers: [{ worker: 1, open: 0, lag: 1_500 }] }), [
      "attention: worker 1 was 1500 ms late",
    ]);
    assert.deepEqual(found({ droppedLines: 1 }), ["attention: 1 line of the access log was lost"]);
    assert.deepEqual(found({ state: "draining" }), ["attention: it accepts no more, and waits for 10 connections"]);
  });

  test("the worst comes first", () => {
    const all = found({ droppedLines: 3, threads: [{ worker: 1, open: 0, lostAt: WELL.now }] });
    assert.deepEqual(
      all.map((line) => line.split(":")[0]),
      ["trouble", "attention"],
    );
  });
});
