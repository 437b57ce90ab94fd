import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toAccess } from "../../../src/config/access_options.ts";
import type { AccessConfig } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { optionRows } from "../../../src/config/option_table.ts";
import { permits } from "../../../src/limits/access.ts";
import { routesOf } from "../../../src/route_table/route_reader.ts";

const BASE = "listeners: [{ address: 10.0.0.1:443, LISTENER }]\nroutes: { a.com: { to: 192.0.2.1, ROUTE } }\n";

function load(listener: string, route = "allowPrivate: false") {
  const text = BASE.replace("LISTENER", listener).replace("ROUTE", route);
  const loaded = loadConfig(text, { path: "", toAscii: (name) => name });
  return "config" in loaded ? loaded : { faults: loaded.errors.map(({ code, message }) => `${code} ${message}`) };
}

function access(listener: string): AccessConfig {
  const loaded = load(listener);
  assert.ok("config" in loaded, JSON.stringify(loaded));
  const [first] = loaded.config.listeners;
  assert.ok(first?.access);
  return first.access;
}

const lets = (rules: AccessConfig, ip: string): boolean => permits(rules, { kind: "tcp", ip, port: 5 });

describe("access options", () => {
  test("absent: no rules at all", () => {
    const loaded = load("protocol: tls");
    assert.ok("config" in loaded);
    assert.equal(loaded.config.listeners[0]?.access, undefined);
    assert.ok([...routesOf(loaded.config.routes)].every((route) => !("access" in route) && !("rate" in route)));
    assert.equal(toAccess({ dryRun: false }, [], []), undefined);
  });

  test("allow alone, deny alone, both, and rules in order", () => {
    const cases = {
      "allow: [10.0.0.0/8, '2001:db8::/32']": { "10.1.1.1": true, "2001:db8::1": true, "192.0.2.1": false },
      "deny: [10.0.0.0/8]": { "10.1.1.1": false, "192.0.2.1": true, "2001:db8::1": true },
      "allow: [10.0.0.0/8], deny: [10.1.0.0/16]": { "10.1.1.1": false, "10.2.1.1": true, "192.0.2.1": false },
      "access: [allow 10.0.0.5, deny 10.0.0.0/8, allow all]": { "10.0.0.5": true, "10.0.0.6": false, "::1": true },
      "access: [deny 10.0.0.5, allow 10.0.0.0/8, deny all]": { "10.0.0.5": false, "10.0.0.6": true, "::1": false },
      "access: [deny 10.0.0.5]": { "10.0.0.5": false, "10.0.0.6": true },
      "allow: ['::ffff:10.0.0.0/104']": { "10.0.0.5": true, "11.0.0.5": false },
    };
    for (const [text, answers] of Object.entries(cases)) {
      for (const [ip, expected] of Object.entries(answers))
        assert.equal(lets(access(text), ip), expected, `${text} ${ip}`);
    }
  });

  test("a rate out of range is told in sizes that one would write", () => {
    assert.deepEqual(load("rate: { down: 10 }"), {
      faults: ["bad_value Cannot use listeners[0].rate.down 10: it must be from 1000 bytes to 1024GiB"],
    });
  });

  test("a long list is one rule", () => {
    const rules = Array.from({ length: 500 }, (_, i) => `"deny 10.${i >> 8}.${i & 255}.0/24"`).join(", ");
    assert.equal(access(`access: [${rules}, allow 10.0.0.0/8, deny all]`).rules.length, 3);
  });

  test("of a route, and of the default route", () => {
    const text = `listeners: [{ address: 10.0.0.1:443, rate: { up: 1MB } }]
routes: { a.com: { to: 192.0.2.1, deny: [10.0.0.0/8], dryRun: true, rate: { down: 10MB } }, default: { to: 192.0.2.2, allow: [10.0.0.0/8] } }
`;
    const loaded = loadConfig(text, { path: "", toAscii: (name) => name });
    assert.ok("config" in loaded, JSON.stringify(loaded));
    const [route] = routesOf(loaded.config.routes);
    assert.deepEqual([route?.access?.dryRun, route?.access?.otherwise, route?.rate], [true, true, { down: 1e7 }]);
    assert.equal(loaded.config.routes.defaultGuard?.access?.otherwise, false);
    assert.deepEqual(loaded.config.listeners[0]?.rate, { up: 1e6 });
  });

  const WHO = "it must be an IP address, a network such as 10.0.0.0/8, unix: or all";
  const RULE = "it must be allow or deny and a network, such as 'deny 10.0.0.5'";
  const faults: Record<string, string[]> = {
    "allow: []": ["bad_value Cannot use listeners[0].allow: it must name at least one network"],
    "deny: 10.0.0.0/8": ["wrong_type Cannot use listeners[0].deny '10.0.0.0/8': it must be a list of networks"],
    "allow: [localhost]": [`bad_value Cannot use listeners[0].allow[0] 'localhost': ${WHO}`],
    "allow: [10.0.0.1/8]": [
      "bad_value Cannot use listeners[0].allow[0] '10.0.0.1/8': it has bits set behind the prefix; the network is 10.0.0.0/8",
    ],
    "access: [10.0.0.0/8]": [`bad_value Cannot use listeners[0].access[0] '10.0.0.0/8': ${RULE}`],
    "access: ['permit all', 'deny 1.2.3']": [
      `bad_value Cannot use listeners[0].access[0] 'permit all': ${RULE}`,
      `bad_value Cannot use listeners[0].access[1] 'deny 1.2.3': ${WHO}`,
    ],
    "access: [deny all], deny: [10.0.0.0/8]": [
      "conflict Cannot use access beside deny: write all of it as rules of access, in their order",
    ],
    "dryRun: true": [
      "conflict Cannot use dryRun: there is no allow, deny or access beside it (limits have a dryRun of their own)",
    ],
  };
  for (const [text, expected] of Object.entries(faults)) {
    test(`faults: ${text}`, () => {
      assert.deepEqual(load(text), { faults: expected });
      const ofRoute = expected.map((fault) => fault.replace("listeners[0]", "routes['a.com']"));
      assert.deepEqual(load("protocol: tls", text), { faults: ofRoute });
    });
  }

  test("both places have them", () => {
    const paths = optionRows().map(({ path }) => path);
    for (const place of ["listeners[]", "routes.NAME"]) {
      for (const key of ["allow", "deny", "access", "dryRun", "rate", "rate.down", "rate.up"]) {
        assert.ok(paths.includes(`${place}.${key}`), `${place}.${key}`);
      }
    }
  });
});
