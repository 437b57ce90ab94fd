import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkSelfRoutes, checkServers, selfRouteWarnings } from "../../../src/config/check_servers.ts";
import type { Config } from "../../../src/config/config.ts";
import type { Fault } from "../../../src/config/fault.ts";
import { formatConfigError, loadConfig } from "../../../src/config/load.ts";

function load(listener: string, rest: string): { faults: string[]; config?: Config } {
  const text = `listeners: [{ address: "${listener}" }]\n${rest}`;
  const loaded = loadConfig(text, { path: "t", toAscii: (name) => name });
  return "config" in loaded ? { faults: [], config: loaded.config } : { faults: loaded.errors.map(formatConfigError) };
}

const pool = (upstream: string) =>
  load("10.0.0.1:443", `routes: { a.com: p }\nupstreams: { p: { ${upstream} } }`).faults;

describe("servers that nobody would reach", () => {
  const down = "{ address: 10.0.0.2, down: true }";
  const backup = "{ address: 10.0.0.3, backup: true }";

  test("all down, all backups, backups with hash", () => {
    assert.match(pool(`servers: [${down}]`)[0] ?? "", /^t:3:.*servers of 'p': all are down; leave one in service/);
    assert.match(pool(`servers: [${backup}, ${backup}]`)[0] ?? "", /all are backups/);
    assert.match(pool(`balance: hash $remote_addr, servers: [10.0.0.2, ${backup}]`)[0] ?? "", /with hash there are no/);
  });

  test("some of them are as they should be", () => {
    assert.deepEqual(pool(`servers: [10.0.0.2, ${down}, ${backup}]`), []);
    assert.deepEqual(pool(`servers: [{ service: _https._tcp.b.com }]`), []);
    const faults: Fault[] = [];
    checkServers(new Map(), faults);
    checkSelfRoutes([], new Map(), faults);
    assert.deepEqual(faults, []);
  });
});

describe("routes that lead back to their listener", () => {
  const loops = (listener: string, to: string) => load(listener, `routes: { a.com: "${to}" }`).faults;

  test("its own address, written out or by its port", () => {
    const message = /^t:1:.*Cannot use the route 'a\.com': 10\.0\.0\.1:443 is this listener itself.*loop; write the/;
    assert.match(loops("10.0.0.1:443", "10.0.0.1:443")[0] ?? "", message);
    assert.match(loops("10.0.0.1:443", "10.0.0.1")[0] ?? "", message);
    assert.match(loops("unix:/run/a", "unix:/run/a")[0] ?? "", /unix:\/run\/a is this listener/);
    const upstream = load("10.0.0.1:443", 'routes: { a.com: p }\nupstreams: { p: { servers: ["10.0.0.1:443"] } }');
    assert.match(upstream.faults[0] ?? "", /Cannot use upstreams\.p\.servers\[0\]: 10\.0\.0\.1:443 is this listener/);
  });

  test("loopback, where it listens everywhere", () => {
    for (const [listener, to] of [
      ["0.0.0.0:443", "127.0.0.1:443"],
      ["[::]:443", "[::1]:443"],
      ["[::]:443", "127.0.0.9:443"],
    ] as const) {
      assert.equal(loops(listener, to).length, 1, `${listener} ${to}`);
    }
  });

  test("other ports, other addresses and what is behind a proxy do not", () => {
    for (const to of ["10.0.0.1:8443", "10.0.0.2:443", "10.0.0.2", "unix:/run/a"]) {
      assert.deepEqual(loops("10.0.0.1:443", to), [], to);
    }
    assert.deepEqual(loops("0.0.0.0:443", "[::1]:443"), []);
    assert.deepEqual(loops("10.0.0.1:0", "10.0.0.1:443"), []);
    const via = "routes: { a.com: { to: '10.0.0.1:443', via: 'socks5://10.0.0.9:1' } }";
    assert.deepEqual(load("10.0.0.1:443", via).faults, []);
  });

  test("addresses that only the start knows", () => {
    const { config } = load("0.0.0.0:443", 'routes: { a.com: "192.0.2.7:443", default: "192.0.2.8:443" }');
    assert.ok(config);
    assert.deepEqual(selfRouteWarnings(config, ["127.0.0.1", "192.0.2.7"]), [
      "the route 'a.com' leads to 192.0.2.7:443, an address of this machine where listeners[0] takes it in again: a loop; write the address of the server that is meant, or another port",
    ]);
  });
});

describe("options that say nothing, or nginx's words", () => {
  test("a rate without a direction", () => {
    const { faults } = load("10.0.0.1:443", "routes: { a.com: { to: direct, rate: {} } }");
    assert.match(faults[0] ?? "", /rate: it must say down, up or both/);
  });

  test("nginx's name of an option leads to ours", () => {
    assert.match(
      pool("servers: [{ address: 10.0.0.2, max_conns: 3 }]")[0] ?? "",
      /nginx's max_conns is maxConnections here/,
    );
    assert.match(
      load("10.0.0.1:443", "routes: { a.com: { proxy_pass: direct } }").faults.join(" "),
      /proxy_pass is the destination of a route/,
    );
    assert.match(pool("servers: [10.0.0.2], constructor: 1")[0] ?? "", /there is no such option; the keys are/);
  });
});
