import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { secretKey, viasOf } from "../../../src/config/secrets.ts";

test("every proxy with its place, and one key for each source", () => {
  const yaml = `listeners: [{ address: 10.0.0.1:443 }, { address: 10.0.0.1:444, routes: { b.com: { to: direct, via: "http://p:2" } } }]
routes: { a.com: { to: p, via: "http://p:1" } }
upstreams: { p: { servers: [10.0.0.2], via: { url: "socks5://u@p:3", passwordEnv: PW } } }`;
  const loaded = loadConfig(yaml, { path: "t", toAscii: (name) => name });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  assert.deepEqual(
    [...viasOf(loaded.config)].map(([via, place]) => [place, via.target.port]),
    [
      ["upstreams.p.via", 3],
      ["routes.a.com.via", 1],
      ["routes.b.com.via", 2],
    ],
  );
  assert.notEqual(secretKey({ kind: "env", name: "A" }), secretKey({ kind: "file", path: "A" }));
});
