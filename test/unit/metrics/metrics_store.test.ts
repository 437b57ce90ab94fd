import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { INTERVAL } from "../../../src/metrics/history.ts";
import { type MetricsParts, MetricsStore } from "../../../src/metrics/metrics_store.ts";
import { Tally } from "../../../src/metrics/tally.ts";
import { noLookups } from "../../../src/names/resolver_counts.ts";
import { VirtualClock } from "../proxy/simulated_world.ts";
import { LISTENER, readExposition, record, sumOf } from "./metrics_fixture.ts";

function world(shown?: number, changes: Partial<MetricsParts> = {}) {
  const clock = new VirtualClock();
  const tally = new Tally();
  const store: MetricsStore = new MetricsStore(
    {
      clock,
      version: "1.2.3",
      runtime: "node 26",
      adapter: "simulated",
      refresh: () => store.merge(0, tally.take()),
      counts: { ended: {}, wouldReject: { access_denied: 7 } },
      workers: 1,
      openConnections: 2,
      connectionLimit: 50,
      listeners: [{ address: LISTENER, protocol: "tls" }],
      upstreams: [],
      configuration: { path: undefined, loadedAt: 5_000, reloads: 3, lastReload: undefined },
      failedReloads: 1,
      resolver: { ...noLookups(), lookups: 5, failures: 2, time: 1_500 },
      droppedLines: 4,
      resources: () => ({ resident: 1_000, descriptors: undefined, descriptorLimit: 64 }),
      ...changes,
    },
    shown,
  );
  const end = (change: Parameters<typeof record>[0]): void => {
    tally.accepted(change?.listener ?? LISTENER);
    tally.ended(record(change), 2, undefined);
  };
  return { clock, tally, store, end };
}

describe("numbers for whoever asks", () => {
  test("what cannot be known is left out, what can be is there from the start", () => {
    const { store } = world();
    const samples = readExposition(store.prometheus());
    const of = (name: string, labels = {}) => sumOf(samples, name, labels);
    assert.equal(
      samples.find(({ name }) => name === "certless_open_descriptors"),
      undefined,
    );
    assert.deepEqual(
      [of("certless_resident_memory_bytes"), of("certless_descriptors_limit"), of("certless_connections_limit")],
      [1_000, 64, 50],
    );
    assert.equal(of("certless_dry_run_rejections_total", { reason: "access_denied" }), 7);
    assert.equal(of("certless_config_reloads_total", { result: "failed" }), 1);
    assert.equal(of("certless_resolver_lookups_total", { result: "ok" }), 3);
    assert.equal(of("certless_resolver_lookup_seconds_sum"), 1.5);
    assert.equal(of("certless_log_dropped_lines_total"), 4);
    assert.deepEqual(samples.find(({ name }) => name === "certless_accepted_connections_total")?.labels, {
      listener: LISTENER,
    });
  });

  test("names of clients never become labels, however they look", () => {
    const { store, end } = world();
    for (const serverName of ['x"} 1\n', "evil.test", "\\", "<script>"]) end({ serverName, route: "default" });
    const text = store.prometheus();
    assert.doesNotMatch(text, /evil|<script/);
    const samples = readExposition(text);
    assert.equal(sumOf(samples, "certless_route_connections_total", { route: "default" }), 4);
    assert.equal(store.names(2).names.length, 2);
    assert.equal(store.names(2).others.connections, 2);
  });

  test("beyond the cap, listeners, routes and servers are in one series, and that can be seen", () => {
    const { store, end, tally } = world(3);
    for (let i = 0; i < 10; i++) {
      end({ route: `r${i}`, listener: `10.0.0.${i}:1`, bytesReceived: 10 });
      tally.serverTook("pool", `s${i}:1`);
      tally.serverFailed("pool", `s${i}:1`, "ECONNREFUSED");
    }
    const samples = readExposition(store.prometheus());
    for (const [name, label] of [
      ["certless_route_connections_total", "route"],
      ["certless_accepted_connections_total", "listener"],
      ["certless_upstream_connections_total", "server"],
      ["certless_upstream_failures_total", "server"],
    ] as const) {
      assert.equal(samples.filter((sample) => sample.name === name).length, 4, name);
      assert.equal(sumOf(samples, name, { [label]: "other" }), 7, name);
    }
    for (const kind of ["listener", "route", "server"]) {
      assert.equal(sumOf(samples, "certless_label_values", { of: kind }), 3);
      assert.equal(sumOf(samples, "certless_label_values_limit", { of: kind }), 3);
    }
    assert.equal(store.routes().length, 10, "the admin interface tells them apart");
  });

  test("servers: state, checks, certificates", () => {
    const server = {
      address: "10.0.0.1:443",
      since: 1,
      checkedAt: 1,
      duration: 1,
      connections: 3,
      service: "down" as const,
      error: undefined,
      health: "down" as const,
      certificates: [{ notAfter: 9_000 }, { notAfter: 7_000 }] as never,
    };
    const { store } = world(undefined, {
      upstreams: [
        { name: "pool", servers: [server, { ...server, address: "b:1", health: "unknown", certificates: [] }] },
      ],
    });
    store.numbers.checked("pool", "10.0.0.1:443", true);
    store.numbers.checked("pool", "10.0.0.1:443", false);
    const samples = readExposition(store.prometheus());
    const labels = { upstream: "pool", server: "10.0.0.1:443" };
    assert.equal(sumOf(samples, "certless_upstream_open_connections", labels), 3);
    assert.equal(sumOf(samples, "certless_upstream_up", labels), 0);
    assert.equal(samples.filter(({ name }) => name === "certless_upstream_up").length, 1);
    assert.equal(sumOf(samples, "certless_upstream_checks_total", { ...labels, result: "ok" }), 1);
    assert.equal(sumOf(samples, "certless_upstream_certificate_expiry_timestamp_seconds", labels), 7);
  });

  test("endings, most frequent first, with those of the last hour", () => {
    const { store, end, clock } = world();
    store.start();
    end({ reason: "ok" });
    end({ reason: "no_route" });
    clock.run(INTERVAL * 400);
    end({ reason: "no_route" });
    const [first, second] = store.endings();
    assert.deepEqual([first?.reason, first?.count, first?.lastHour, first?.isRejection], ["no_route", 2, 1, true]);
    assert.ok(first?.remedy !== undefined);
    assert.deepEqual([second?.reason, second?.lastHour, second?.isRejection], ["ok", 0, false]);
    assert.equal(store.history().samples.length, 360);
    store.stop();
    assert.equal(clock.pending, 0);
  });

  test("totals, and a route over several listeners", () => {
    const { store, end, tally } = world();
    end({ route: "x.test", bytesReceived: 5, bytesSent: 7 });
    end({ route: "x.test", listener: "b:1", reason: "rejected", bytesReceived: 1 });
    tally.accepted(LISTENER);
    tally.late(40);
    const totals = store.totals();
    assert.deepEqual(totals.connections, { open: 2, limit: 50, accepted: 3 });
    assert.deepEqual(totals.bytes, { received: 6, sent: 7 });
    assert.deepEqual(totals.listeners, [{ address: LISTENER, protocol: "tls", open: 1, accepted: 2 }]);
    assert.deepEqual(totals.workers, [{ worker: 1, open: 1, lag: 40 }]);
    assert.equal(store.totals().workers[0]?.lag, 0, "since it was last asked");
    assert.deepEqual(store.route("x.test", [LISTENER, "b:1", "c:1"]), {
      connections: 2,
      rejected: 1,
      received: 6,
      sent: 7,
    });
  });
});
