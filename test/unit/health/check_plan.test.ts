import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { Endpoint } from "../../../src/address.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { planChecks, routedNames } from "../../../src/health/check_plan.ts";
import { configuredPlaces } from "../../../src/upstream/upstream.ts";
import { planOf } from "./health_fixture.ts";

test("servers of all kinds; a port that is left out is the listener's", () => {
  const servers = ["10.0.0.1", "10.0.0.2:444", "api.internal:445", "unix:/run/a.sock"];
  assert.deepEqual(
    planOf("tcp", servers).map(({ address }) => address),
    ["10.0.0.1:8443", "10.0.0.2:444", "api.internal:445", "unix:/run/a.sock"],
  );
  assert.deepEqual(
    planOf({ type: "tcp", port: 99 }, servers).map(({ address }) => address),
    ["10.0.0.1:99", "10.0.0.2:99", "api.internal:99", "unix:/run/a.sock"],
  );
});

test("a server that is down by the configuration is not asked", () => {
  const servers = [{ address: "10.0.0.1:443", down: true }, "10.0.0.2:443"];
  assert.deepEqual(
    planOf("tcp", servers).map(({ address, slot }) => [address, slot]),
    [["10.0.0.2:443", 1]],
  );
});

test("names are the routes' exact ones, or the one that is given", () => {
  assert.deepEqual(planOf("tls")[0]!.names, ["a.test", "b.test"]);
  assert.deepEqual(planOf({ type: "tls", serverName: "X.test" })[0]!.names, ["x.test"]);
});

test("the Host field is what is given, a routed name, or the address", () => {
  assert.equal(planOf("http")[0]!.host, "a.test");
  assert.equal(planOf({ type: "http", host: "b:81" })[0]!.host, "b:81");
});

test("a server that expects a PROXY header gets one that tells of no client", () => {
  assert.equal(planOf("tcp")[0]!.prefix, undefined);
  const prefix = planOf("tcp", ["10.0.0.1:443"], ", proxyProtocol: v1")[0]!.prefix!;
  assert.equal(Buffer.from(prefix).toString(), "PROXY UNKNOWN\r\n");
  const second = planOf("tcp", ["10.0.0.1:443"], ", proxyProtocol: { version: v2, checksum: false }")[0]!.prefix!;
  assert.deepEqual([second.length, second[12]], [16, 0x20]);
});

test("checks leave from the upstream's own addresses", () => {
  assert.deepEqual(planOf("tcp")[0]!.bind, []);
  assert.deepEqual(planOf("tcp", ["10.0.0.1:443"], ", bind: 10.0.0.7")[0]!.bind, ["10.0.0.7"]);
});

test("a listener may lead to an upstream by the kind of protocol alone: its port is the server's", () => {
  const loaded = loadConfig(
    `
listeners: [{ address: "0.0.0.0:2222", protocol: 'any', ssh: shells }]
routes: {}
upstreams: { shells: { servers: [10.0.0.1], healthCheck: tcp } }
`,
    { path: "test", toAscii: (name) => name },
  );
  assert.ok("config" in loaded, JSON.stringify(loaded));
  const upstream = loaded.config.upstreams.get("shells")!;
  assert.equal(
    planChecks(loaded.config, [], upstream, configuredPlaces(upstream, { servers: [0, 1, 2] }))[0]!.address,
    "10.0.0.1:2222",
  );
});

test("listeners of the check's own protocol come first; upstreams without a check are left alone", () => {
  const loaded = loadConfig(
    `
listeners:
  - { address: "0.0.0.0:80", protocol: http, routes: { web.test: web, default: other } }
  - { address: "0.0.0.0:443", routes: { tls.test: web, "*.x.test": wild } }
upstreams:
  web: { servers: [10.0.0.1], healthCheck: http }
  other: { servers: [10.0.0.2] }
  wild: { servers: [10.0.0.3], healthCheck: tls }
`,
    { path: "test", toAscii: (name) => name },
  );
  assert.ok("config" in loaded);
  const plansWith = (endpoints: readonly Endpoint[]) =>
    [...loaded.config.upstreams.values()].flatMap((upstream) =>
      planChecks(loaded.config, endpoints, upstream, configuredPlaces(upstream, { servers: [5, 6, 7] })),
    );
  const plans = plansWith([]);
  assert.deepEqual(
    plans.map(({ address, host, names }) => [address, host, names]),
    [
      ["10.0.0.1:80", "web.test", ["web.test"]],
      ["10.0.0.3:443", "10.0.0.3:443", [undefined]],
    ],
  );
  assert.deepEqual(routedNames(loaded.config, "web", "tls"), ["tls.test"]);
  // Ports that were given for 0.
  const endpoint = { kind: "tcp", ip: "0.0.0.0", port: 8081 } as const;
  assert.equal(plansWith([endpoint, endpoint])[0]!.address, "10.0.0.1:8081");
});
