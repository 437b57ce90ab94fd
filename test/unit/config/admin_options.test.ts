import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AdminConfig, isLocal } from "../../../src/config/admin_options.ts";
import { adminPlace } from "../../../src/config/admin_place.ts";
import { loadConfig } from "../../../src/config/load.ts";

const REST = "listeners: [{ address: 0.0.0.0:443 }]\nroutes: { a.example: 192.0.2.1 }\n";
const toAscii = (name: string): string => name.toLowerCase();

function admin(yaml: string): AdminConfig | undefined | string[] {
  const loaded = loadConfig(`${REST}admin: ${yaml}\n`, { path: "f.yaml", toAscii });
  return "config" in loaded ? loaded.config.admin : loaded.errors.map(({ at, message }) => `${at}: ${message}`);
}

describe("admin options", () => {
  test("absent, there is no interface", () => {
    const loaded = loadConfig(REST, { path: "f.yaml", toAscii });
    assert.ok("config" in loaded && !("admin" in loaded.config));
  });

  test("an address of the loopback, or a unix socket, is enough", () => {
    const endpoint = { kind: "tcp", ip: "127.0.0.1", port: 9443 };
    assert.deepEqual(admin("{ address: 127.0.0.1:9443 }"), {
      endpoint,
      allowedHosts: [],
      page: true,
      token: undefined,
    });
    for (const address of ["127.0.0.2:1", '"[::1]:9443"', '"unix:/run/certless/admin.sock"']) {
      assert.ok(!Array.isArray(admin(`{ address: ${address} }`)), address);
    }
  });

  test("any other address needs a token", () => {
    for (const address of ["0.0.0.0:9443", '"[::]:9443"', "192.0.2.1:9443"]) {
      assert.match(
        String(admin(`{ address: ${address} }`)),
        /^admin\.address: .*no token; add token: \{ file: \/path \}/,
      );
    }
    const config = admin(
      "{ address: 0.0.0.0:9443, token: { env: TOKEN }, allowedHosts: [Proxy.example, '[::2]'], page: false }",
    );
    assert.ok(typeof config === "object" && !Array.isArray(config));
    assert.deepEqual(
      [config.token, config.allowedHosts, config.page],
      [{ kind: "env", name: "TOKEN" }, ["proxy.example", "::2"], false],
    );
  });

  test("local is what only this machine reaches", () => {
    assert.ok(isLocal({ kind: "unix", path: "/x" }) && isLocal({ kind: "tcp", ip: "::1", port: 1 }));
    for (const ip of ["0.0.0.0", "::", "192.0.2.1", "12.7.0.1"]) assert.ok(!isLocal({ kind: "tcp", ip, port: 1 }), ip);
  });

  test("what is wrong is told, but never the token", () => {
    assert.match(String(admin("{ address: 9443 }")), /Cannot use admin\.address/);
    assert.match(String(admin("{ address: ':9443' }")), /write 127\.0\.0\.1:9443/);
    assert.match(String(admin("{ address: 127.0.0.1:1, token: {} }")), /it must be a map with file or env/);
    assert.match(
      String(admin("{ address: 127.0.0.1:1, token: { file: a, env: B } }")),
      /it must be a map with file or env/,
    );
    assert.match(String(admin("{ address: 127.0.0.1:1, allowedHosts: ['a:1'] }")), /without a port/);
    const said = String(admin("{ address: 127.0.0.1:1, token: sesame }"));
    assert.match(said, /admin\.token: it must be a map/);
    assert.doesNotMatch(said, /sesame/);
  });
});

describe("admin place", () => {
  test("is found in a file whose rest has faults", () => {
    const found = adminPlace("routes: 7\nadmin: { address: 127.0.0.1:9443 }\n", "f.yaml", toAscii);
    assert.deepEqual(found?.endpoint, { kind: "tcp", ip: "127.0.0.1", port: 9443 });
    for (const text of ["", "[", "7", "admin: 7", REST])
      assert.equal(adminPlace(text, "f.yaml", toAscii), undefined, text);
  });
});
