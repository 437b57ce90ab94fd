import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { examineServers, examineUpstreams } from "../../../src/doctor/examination.ts";
import type { DnsResolver } from "../../../src/host.ts";
import type { ProbeResult, StartProbe } from "../../../src/probe.ts";
import { CERTIFICATE, planOf } from "../health/health_fixture.ts";

interface World {
  /** What each answer takes, ms. */
  readonly delay?: number;
  readonly probe?: (serverName: string | undefined) => ProbeResult;
}

const WELL = { ...CERTIFICATE, notAfter: 4_000_000_000_000 };

/** A clock that each answer moves on; every name is 192.0.2.1. */
function parts(yaml: string, { delay = 1, probe }: World = {}) {
  const loaded = loadConfig(yaml, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  let now = 0;
  const take = async <T>(answered: () => T): Promise<T> => {
    await Promise.resolve();
    now += delay;
    return answered();
  };
  const resolver: DnsResolver = {
    concurrency: 1,
    resolve: (_, answered) => void take(() => answered({ addresses: ["192.0.2.1"], ttl: undefined })),
    resolveByDns: (_, answered) => void take(() => answered({ code: "ENOTFOUND", message: "" })),
    resolveService: () => {},
    resolveBindings: (_, answered) => void take(() => answered({ code: "ENOTFOUND", message: "" })),
    close() {},
  };
  const asked: (string | undefined)[] = [];
  const start: StartProbe = (request, done) => {
    asked.push(request.tls?.serverName);
    const result = probe?.(request.tls?.serverName) ?? { ok: true, duration: 1, certificate: WELL };
    void take(() => done(result));
    return () => {};
  };
  const clock = { now: () => now, wallTime: () => 1_700_000_000_000, after: () => () => {} };
  return { config: loaded.config, resolver, clock, probe: start, ownAddresses: ["10.0.0.5"], until: 1_000, asked };
}

const many = (count: number): string =>
  JSON.stringify({
    listeners: [{ address: "10.0.0.5:443" }],
    routes: Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}.test`, "192.0.2.9:443"])),
  });

describe("an examination", () => {
  test("asks no more than there is time for, and says who was left out", async () => {
    const world = parts(many(50), { delay: 20 });
    const found = await examineServers(world);
    const left = found.filter(({ id }) => id === "not_examined").map(({ subject, seen }) => `${subject}: ${seen}`);
    assert.match(left.join(), /^routes: \d+ of 50 names/);
    assert.ok(world.clock.now() < 2_000, `it took ${world.clock.now()} ms`);
    const none = parts(many(3));
    assert.deepEqual(
      (await examineServers({ ...none, until: -1 })).map(({ id, seen }) => `${id}: ${seen}`),
      ["not_examined: 3 of 3 names"],
    );
    assert.deepEqual(none.asked, []);
  });

  test("a name that comes in by several listeners is asked about once, and told of once", async () => {
    const yaml = `
listeners: [{ address: 127.0.0.1:443 }, { address: "[::1]:443" }]
routes: { a.test: 192.0.2.9:443, b.test: direct }
`;
    const refused: ProbeResult = {
      ok: false,
      duration: 1,
      stage: "connect",
      error: { code: "ECONNREFUSED", message: "" },
    };
    const world = parts(yaml, { probe: () => refused });
    assert.deepEqual(
      (await examineServers(world)).map(({ id, subject }) => `${id} ${subject}`),
      ["server_unreachable a.test", "address_refused b.test"].toReversed(),
    );
    assert.deepEqual(world.asked, ["a.test"]);
  });

  test("looks at two hundred names", async () => {
    const world = parts(many(230), { delay: 0 });
    const found = await examineServers(world);
    assert.equal(world.asked.length, 200);
    assert.ok(found.some(({ id, seen }) => id === "not_examined" && seen === "30 of 230 names"));
  });

  test("says why nobody was asked: a proxy on the way, a service; PostgreSQL is only connected to", async () => {
    const yaml = `
listeners: [{ address: 10.0.0.5:443 }, { address: "10.0.0.6:5432", protocol: postgres, routes: { db.test: 192.0.2.2:5432 } }]
routes:
  via.test: { to: 192.0.2.1:443, via: "http://10.0.0.9:3128" }
  service.test: pool
upstreams: { pool: { servers: [{ service: _x._tcp.test }] } }
`;
    const world = parts(yaml);
    const found = await examineServers(world);
    assert.deepEqual(
      found.map(({ id, subject, seen }) => `${id} ${subject}: ${seen}`),
      [
        "not_examined via.test: its servers are behind http://10.0.0.9:3128",
        "not_examined service.test: upstream pool has no server that could be asked for one name",
        "server_well db.test: 192.0.2.2:5432: it takes connections",
      ],
    );
    assert.deepEqual(world.asked, [undefined], "no handshake");
  });

  test("upstreams: each server by itself", async () => {
    const plans = planOf("tcp", ["10.0.0.1:443", { address: "10.0.0.2:443", backup: true }]);
    const yaml = `
listeners: [{ address: 10.0.0.5:443 }]
routes: { a.test: pool }
upstreams: { pool: { servers: [10.0.0.1:443] }, other: { servers: [10.0.0.1:443] } }
`;
    const world = parts(yaml);
    let count = 0;
    const probe: StartProbe = (_, done) => {
      const ok: ProbeResult = { ok: true, duration: 1, certificate: undefined };
      const refused: ProbeResult = {
        ok: false,
        duration: 1,
        stage: "connect",
        error: { code: "ECONNREFUSED", message: "" },
      };
      const result = count++ === 0 ? refused : ok;
      void Promise.resolve().then(() => done(result));
      return () => {};
    };
    assert.deepEqual(
      (await examineUpstreams({ ...world, probe }, plans)).map(({ id, seen }) => `${id}: ${seen}`),
      ["upstream_on_backups: 1 of 2 servers down: 10.0.0.1:443: connection refused"],
    );
  });
});
