/** The options of names: `resolver`, `selfAddresses`, servers that DNS names. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { namedServers } from "../../../src/config/named_servers.ts";

const BASE = "listeners: [{ address: 10.0.0.5:443 }]\nroutes: { default: reject }\n";
const load = (yaml: string) => loadConfig(yaml, { path: "test", toAscii: (name) => name });

function valid(yaml: string) {
  const loaded = load(yaml);
  assert.ok("config" in loaded, JSON.stringify(loaded));
  return loaded.config;
}

function faults(yaml: string): string[] {
  const loaded = load(`${BASE}${yaml}`);
  return "errors" in loaded ? loaded.errors.map(({ message }) => message) : [];
}

describe("resolver", () => {
  test("families: auto, one, or both in an order", () => {
    const families = (text: string) => valid(`${BASE}resolver: { families: ${text} }`).resolver.families;
    assert.equal(families("auto"), undefined);
    assert.deepEqual(families("[ipv4]"), ["ipv4"]);
    assert.deepEqual(families("[ipv6, ipv4]"), ["ipv6", "ipv4"]);
    assert.match(faults("resolver: { families: [] }")[0] ?? "", /name one family at least/);
    assert.match(faults("resolver: { families: [ipv4, ipv4] }")[0] ?? "", /twice/);
    assert.match(faults("resolver: { families: [ipv5] }")[0] ?? "", /it must be ipv4 or ipv6/);
    assert.match(faults("resolver: { families: ipv4 }")[0] ?? "", /auto, or a list such as \[ipv4, ipv6\]/);
  });

  test("bounds of what is kept, and of the servers", () => {
    const { resolver } = valid(`${BASE}resolver: { minTtl: 0s, maxTtl: 10m, staleFor: 0s }`);
    assert.deepEqual([resolver.minTtl, resolver.maxTtl, resolver.staleFor], [0, 600_000, 0]);
    assert.match(
      faults("resolver: { servers: [192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4] }")[0] ?? "",
      /3 servers at most/,
    );
    assert.match(faults("resolver: { minTtl: 2h, maxTtl: 1h }")[0] ?? "", /minTtl.*longer than maxTtl/);
  });
});

test("selfAddresses: with a port or for all of them", () => {
  const { selfAddresses } = valid(`${BASE}selfAddresses: [203.0.114.7, "203.0.114.8:443", "2001:db8::1"]`);
  assert.deepEqual(selfAddresses, [
    { ip: "203.0.114.7", port: undefined },
    { ip: "203.0.114.8", port: 443 },
    { ip: "2001:db8::1", port: undefined },
  ]);
  assert.match(
    faults("selfAddresses: [proxy.example.com]")[0] ?? "",
    /it must be an IP address, with or without a port/,
  );
});

describe("servers that DNS names", () => {
  const pool = (server: string) => `upstreams: { pool: { servers: [${server}] } }`;

  test("addresses of a name, and services", () => {
    const { upstreams } = valid(
      `${BASE}${pool('{ address: "a.test:443", resolve: true }, { service: _https._tcp.Example.test }, "b.test:443"')}`,
    );
    assert.deepEqual(
      upstreams.get("pool")?.servers.map(({ target, discover }) => [target, discover]),
      [
        [{ kind: "host", name: "a.test", port: 443 }, "address"],
        [{ kind: "host", name: "_https._tcp.example.test", port: 0 }, "service"],
        [{ kind: "host", name: "b.test", port: 443 }, undefined],
      ],
    );
  });

  test("what cannot be", () => {
    for (const [server, message] of [
      ["{ weight: 2 }", /'address' is missing/],
      ['{ address: "a.test:443", service: _x._tcp.test }', /there is an address already/],
      ['{ address: "192.0.2.1:443", resolve: true }', /only an address that is a name can be resolved/],
      ["{ service: example.test }", /it must be a service's name, such as _https\._tcp\.example\.com/],
      ["{ service: _https._tcp }", /it must be a service's name/],
    ] as const) {
      assert.match(faults(pool(server))[0] ?? "", message, server);
    }
  });
});

test("every name that servers are given by, once, and where", () => {
  const config = valid(`listeners: [{ address: 10.0.0.5:443 }]
routes: { x.test: "a.test:443", y.test: "b.test:443", z.test: direct, default: pool }
upstreams: { pool: { servers: ["a.test:8443", { service: _s._tcp.test }, 192.0.2.1:443] } }
`);
  assert.deepEqual(namedServers(config), [
    { name: "a.test", place: "upstreams.pool.servers[0]", service: false },
    { name: "_s._tcp.test", place: "upstreams.pool.servers[1]", service: true },
    { name: "b.test", place: "routes.y.test", service: false },
  ]);
});

test("names that have to resolve: servers' and proxies', not those of servers behind a proxy", () => {
  const config = valid(`listeners: [{ address: 10.0.0.1:443, protocol: 'any', ssh: "ssh.test:22" }]
routes: { a.com: { to: "behind.test:1", via: "http://p.test:1" }, c.com: "plain.test:1" }
upstreams:
  p: { servers: ["hidden.test:1"], via: "socks5://q.test:3" }
  q: { servers: ["seen.test:1"] }`);
  const names = namedServers(config).map(({ name }) => name);
  assert.deepEqual(names.sort(), ["p.test", "plain.test", "q.test", "seen.test", "ssh.test"]);
});
