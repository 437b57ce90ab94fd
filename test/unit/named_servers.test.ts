import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { resolvedNames } from "../../src/named_servers.ts";

test("every name that servers are given by, once, and where", () => {
  const loaded = loadConfig(
    `listeners: [{ address: 10.0.0.5:443 }]
routes: { x.test: "a.test:443", y.test: "b.test:443", z.test: direct, default: pool }
upstreams: { pool: { servers: ["a.test:8443", { service: _s._tcp.test }, 192.0.2.1:443] } }
`,
    { path: "test", toAscii: (name) => name },
  );
  assert.ok("config" in loaded, JSON.stringify(loaded));
  assert.deepEqual(
    [...resolvedNames(loaded.config).values()],
    [
      { name: "a.test", place: "upstreams.pool.servers[0]", service: false },
      { name: "_s._tcp.test", place: "upstreams.pool.servers[1]", service: true },
      { name: "b.test", place: "routes.y.test", service: false },
    ],
  );
});
