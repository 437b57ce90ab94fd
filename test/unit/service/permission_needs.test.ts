import assert from "node:assert/strict";
import { test } from "node:test";
import { configFromObject } from "../../../src/config/load.ts";
import type { ConfigInput } from "../../../src/config/schema.ts";
import { type NeedContext, needsUnstableNet, permissionNeeds } from "../../../src/service/permission_needs.ts";

function needsOf(config: object, more: Partial<NeedContext> = {}) {
  const loaded = configFromObject(config as ConfigInput, { toAscii: (name) => name });
  assert.ok("config" in loaded);
  const context = {
    config: loaded.config,
    files: ["c.yaml"],
    program: "p/",
    adapter: "deno",
    unit: false,
    ...more,
  } as const;
  return { context, ...Object.fromEntries(permissionNeeds(context)) } as Record<string, unknown> & {
    context: NeedContext;
  };
}

const LISTENERS = [{ address: "127.0.0.1:443" }];

test("addresses alone: exactly those; with libc only what the main thread opens", () => {
  const config = { listeners: LISTENERS, routes: { "a.test": "10.0.0.1:8443", "b.test": "10.0.0.2" } };
  assert.deepEqual(needsOf(config).net, ["10.0.0.1:8443", "10.0.0.2:443", "127.0.0.1:443"]);
  assert.equal(needsOf(config).ffi, undefined);
  const linux = needsOf(config, { adapter: "linux" });
  assert.deepEqual(linux.net, ["127.0.0.1:443"]);
  assert.equal(linux.ffi, true);
  assert.deepEqual(linux.read, ["/proc/self/limits", "c.yaml", "p/"]);
});

test("names need all addresses, or with libc only their lookup", () => {
  const config = { listeners: LISTENERS, routes: { "a.test": "server.test:443", "b.test": "direct" } };
  assert.equal(needsOf(config).net, true);
  assert.deepEqual(needsOf(config, { adapter: "linux" }).net, ["127.0.0.1:443", "b.test", "server.test"]);
  const any = { listeners: LISTENERS, routes: { "*.a.test": "direct" } };
  assert.equal(needsOf(any, { adapter: "linux" }).net, true);
});

test("files, variables, accounts, sockets", () => {
  const config = {
    listeners: [{ address: "unix:/run/a" }],
    routes: { "a.test": "pool" },
    upstreams: { pool: { servers: ["unix:/run/b"] }, out: { servers: ["10.0.0.1:1"], healthCheck: "tcp" } },
    user: "proxy",
    group: "proxy",
    log: { access: { path: "/var/log/a" } },
  };
  const needs = needsOf(config, { unit: true });
  assert.deepEqual(needs.write, ["/run/a", "/run/b", "/var/log/a"]);
  assert.ok((needs.read as string[]).includes("/etc/group"));
  assert.ok((needs.env as string[]).includes("NOTIFY_SOCKET"));
  assert.deepEqual(needs.sys, ["networkInterfaces", "setgid", "setuid", "uid"]);
  assert.deepEqual(needs.net, ["10.0.0.1:1"]);
});

test("threads share ports only with --unstable-net", () => {
  const needs = needsOf({ listeners: LISTENERS, routes: {}, workers: 2 });
  assert.equal(needsUnstableNet(needs.context), true);
  assert.equal(needsUnstableNet(needsOf({ listeners: LISTENERS, routes: {} }).context), false);
});

test("the admin interface is the main thread's: its address or path, and its token", () => {
  const config = { listeners: LISTENERS, routes: { "a.test": "10.0.0.1:443" } };
  for (const adapter of ["deno", "linux"] as const) {
    const tcp = needsOf({ ...config, admin: { address: "127.0.0.1:9443", token: { env: "TOKEN" } } }, { adapter });
    assert.ok((tcp.net as string[]).includes("127.0.0.1:9443"));
    assert.ok((tcp.env as string[]).includes("TOKEN"));
    const admin = { address: "unix:/run/certless.sock", token: { file: "/etc/token" } };
    const unix = needsOf({ ...config, admin }, { adapter });
    assert.ok((unix.net as string[]).includes("unix:/run/certless.sock"));
    assert.deepEqual(unix.write, ["/run/certless.sock"]);
    for (const path of ["/run/certless.sock", "/etc/token"]) assert.ok((unix.read as string[]).includes(path));
  }
});
