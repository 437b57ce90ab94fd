import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { refusals, resolvedNames } from "../../../src/doctor/refusals.ts";
import { createRouter } from "../../../src/proxy/listener_settings.ts";

const YAML = `
listeners: [{ address: "0.0.0.0:443" }]
routes:
  plain.test: direct
  open.test: { to: direct, allowPrivate: true }
  via.test: { to: direct, via: "http://10.0.0.9:3128" }
  fixed.test: 10.0.0.1:443
  named.test: "named.test:443"
  pooled.test: pool
upstreams: { pool: { servers: [10.0.0.1:443, "s.test:443", { service: _x._tcp.test }] } }
selfAddresses: [203.0.113.1]
`;

test("what direct would not dial, by the proxy's own policy", () => {
  const loaded = loadConfig(YAML, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  const { config } = loaded;
  const listener = config.listeners[0]!;
  const find = (name: string, answer: readonly string[] | string): string[] => {
    const route = createRouter(listener.routes).match(name);
    const routed = { name, listener, route };
    const answers = new Map(resolvedNames(config, routed).map((asked) => [asked, answer]));
    return refusals({ config, ownAddresses: ["10.0.0.5"] }, routed, answers).map(({ id }) => id);
  };
  assert.deepEqual(find("plain.test", ["93.184.215.14"]), []);
  assert.deepEqual(find("plain.test", ["10.1.1.1"]), ["address_refused"]);
  assert.deepEqual(find("plain.test", ["198.18.0.7"]), ["address_refused"], "a made-up address");
  assert.deepEqual(find("plain.test", ["10.1.1.1", "93.184.215.14"]), [], "one of them may be dialled");
  assert.deepEqual(find("open.test", ["10.1.1.1"]), []);
  assert.deepEqual(find("open.test", ["10.0.0.5"]), ["loop"]);
  assert.deepEqual(find("open.test", ["203.0.113.1"]), ["loop"], "in front of a NAT");
  assert.deepEqual(find("plain.test", "ENOTFOUND"), ["name_unresolved"]);
  assert.deepEqual(find("plain.test", "ETIMEOUT"), ["resolver_silent"]);
  assert.deepEqual(find("via.test", "ENOTFOUND"), [], "the proxy resolves it");
  assert.deepEqual(find("fixed.test", "ENOTFOUND"), []);
  assert.deepEqual(find("named.test", ["10.0.0.5"]), ["loop"], "a server by name that is certless itself");
  assert.deepEqual(find("named.test", ["10.1.1.1"]), []);
  assert.deepEqual(find("pooled.test", ["10.0.0.5"]), ["loop"]);
});
