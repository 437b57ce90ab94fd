import assert from "node:assert/strict";
import { test } from "node:test";
import { runCli } from "../../../src/cli/cli.ts";
import { probe as command } from "../../../src/cli/probe.ts";
import type { Host } from "../../../src/host.ts";
import type { ProbeRequest, ProbeResult } from "../../../src/probe.ts";
import { CERTIFICATE, failed, WELL } from "../health/health_fixture.ts";
import { SimulatedAdapter } from "../proxy/simulated_world.ts";
import { fakeWorld } from "./fake_host.ts";

const YAML = `
listeners: [{ address: "0.0.0.0:8443" }, { address: "0.0.0.0:80", protocol: http, routes: { web.test: web } }]
routes: { a.test: pool, b.test: pool }
upstreams:
  pool: { servers: [10.0.0.1, "10.0.0.2:443"] }
  web: { servers: ["10.0.0.3:80"], healthCheck: { type: http, expect: 200 } }
  unused: { servers: ["up.test:1"] }
`;

async function certless(files: Record<string, string>, answer: (request: ProbeRequest) => ProbeResult) {
  const world = fakeWorld(files, { "up.test": ["192.0.2.1"] });
  const host: Host = {
    ...world.context.host,
    probe: (request, done) => {
      queueMicrotask(() => done(answer(request)));
      return () => {};
    },
  };
  const adapter = new SimulatedAdapter();
  const context = { ...world.context, host, selectAdapter: async () => ({ adapter, why: "a test" }) };
  const code = await runCli(["probe"], context);
  return { code, out: world.out().split("\n"), err: world.err() };
}

test("each server with its state, and what is wrong", async () => {
  const now = new SimulatedAdapter().clock.wallTime();
  const { code, out } = await certless({ "certless.yaml": YAML }, ({ endpoint, tls, exchange }) => {
    if (endpoint.kind === "tcp" && endpoint.ip === "10.0.0.2") return failed("ECONNREFUSED");
    exchange?.received(new TextEncoder().encode("HTTP/1.1 200 "));
    if (tls === undefined) return WELL;
    const certificate = { ...CERTIFICATE, issuer: "Evil\u001b[31m", notAfter: now + 3.5 * 86_400_000 };
    return {
      ...WELL,
      certificate:
        tls.serverName === "a.test" ? certificate : { ...certificate, mismatch: "it is for a.test", untrusted: "X" },
    } as ProbeResult;
  });
  assert.equal(code, 1);
  assert.deepEqual(out, [
    "upstream  server         state  time    certificate, or what is wrong",
    "pool      10.0.0.1:8443  up     0.0 ms  a.test: 3 days left (2023-11-18), by Evil\\x1b[31m",
    "                                        b.test: 3 days left (2023-11-18), by Evil\\x1b[31m, does not fit: it is for a.test, not trusted: X",
    "pool      10.0.0.2:443   down   0.0 ms  connection refused",
    "web       10.0.0.3:80    up     0.0 ms",
    "unused    up.test:1      up     0.0 ms",
    "4 servers, 1 down",
    "",
  ]);
});

test("all up is exit code 0; so is nothing to ask", async () => {
  const well = await certless({ "certless.yaml": YAML.replace("expect: 200", "expect: 100-599") }, ({ exchange }) => {
    exchange?.received(new TextEncoder().encode("HTTP/1.1 404 "));
    return WELL;
  });
  assert.deepEqual([well.code, well.out.at(-2)], [0, "4 servers, none down"]);
  const none = await certless({ "certless.yaml": "listeners: [{ address: '0.0.0.0:1' }]\nroutes: {}\n" }, () => WELL);
  assert.deepEqual([none.code, none.out], [0, ["0 servers, none down", ""]]);
});

test("each address of a name is asked by itself; what cannot be found or asked is told", async () => {
  const yaml = `
listeners: [{ address: "0.0.0.0:443" }]
routes: {}
upstreams:
  pool: { servers: [{ address: "up.test:1", resolve: true }] }
  lost: { servers: [{ service: _x._tcp.lost.test }] }
  far: { servers: ["10.0.0.9:1"], via: "socks5://10.0.0.8:1080" }
`;
  const { code, out } = await certless({ "certless.yaml": yaml }, () => WELL);
  assert.equal(code, 1);
  assert.deepEqual(out.slice(1), [
    "pool      192.0.2.1:1  up     0.0 ms",
    "upstream lost: Cannot resolve _x._tcp.lost.test: ENOTFOUND",
    "upstream far: not asked, since its servers are behind socks5://10.0.0.8:1080",
    "1 server, none down",
    "",
  ]);
});

test("its help names the exit codes", () => {
  assert.match(command.help, /Exit code 0: all are up. 1: one is down, or not to be found. 2:/);
});
