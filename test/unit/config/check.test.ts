import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkConfig } from "../../../src/config/check.ts";
import { NOWHERE } from "../../../src/config/fault.ts";
import type { ConfigInput } from "../../../src/config/schema.ts";

const messages = (value: unknown): string[] => {
  const checked = checkConfig(value, NOWHERE, (name) => name);
  return "faults" in checked ? checked.faults.map((fault) => `${fault.code} ${fault.at.join(".")}`) : [];
};

const listener = { address: "10.0.0.1:443" };

describe("checkConfig", () => {
  test("sound parts are checked together although another part is wrong", () => {
    assert.deepEqual(
      messages({
        listeners: [listener, listener, { address: 5, routes: { "a.com": "nowhere" } }],
        routes: { "a.com": "broken", "b.com": "missing" },
        upstreams: { broken: { servers: 5 } },
        adapter: "none",
      }),
      [
        "wrong_type listeners.2.address",
        "wrong_type upstreams.broken.servers",
        "bad_value adapter",
        "bad_destination routes.b.com",
        "bad_destination listeners.2.routes.a.com",
        "duplicate_listener listeners.1.address",
      ],
    );
  });

  test("a unix: listener needs no trustedProxies: its file has permissions", () => {
    assert.deepEqual(messages({ listeners: [{ address: "unix:/a", proxyProtocol: true }], routes: {} }), []);
    assert.deepEqual(messages({ listeners: [{ ...listener, proxyProtocol: true }], routes: {} }), [
      "conflict listeners.0.proxyProtocol",
    ]);
  });

  test("prereadTotal holds one connection at least, by its bounds", () => {
    const withTotal = (prereadTotal: string): unknown => ({
      listeners: [listener],
      routes: {},
      limits: { prereadTotal },
    });
    assert.deepEqual(messages(withTotal("64KiB")), []);
    assert.deepEqual(messages(withTotal("63KiB")), ["bad_value limits.prereadTotal"]);
  });

  test("options of upstreams that nothing would come of", () => {
    const withUpstream = (pool: unknown): unknown => ({ listeners: [listener], routes: {}, upstreams: { pool } });
    const slow = { address: "a:1", slowStart: "5s" };
    assert.deepEqual(messages(withUpstream({ balance: "least_conn", servers: ["b:1", slow] })), []);
    for (const balance of ["random", "hash $remote_addr"]) {
      assert.deepEqual(messages(withUpstream({ balance, servers: ["b:1", slow] })), [
        "conflict upstreams.pool.servers.1.slowStart",
      ]);
    }
    assert.deepEqual(messages(withUpstream({ servers: ["b:1"], queue: { size: 5 } })), [
      "conflict upstreams.pool.queue",
    ]);
  });

  test("its input has a type", () => {
    const input: ConfigInput = {
      listeners: [listener],
      routes: { "a.com": { to: "direct" } },
      timeouts: { idle: "1m" },
    };
    assert.deepEqual(messages(input), []);
  });

  test("keys of every object have no meaning", () => {
    assert.deepEqual(messages({ listeners: [listener], routes: { constructor: "toString" } }), [
      "bad_destination routes.constructor",
    ]);
    const upstreams = { constructor: { servers: ["10.0.0.2"] } };
    assert.deepEqual(messages({ listeners: [listener], routes: { a: "constructor" }, upstreams }), []);
  });
});
