import assert from "node:assert/strict";
import { test } from "node:test";
import type { Adapter } from "../../../src/adapter.ts";
import { parseEndpoint } from "../../../src/address.ts";
import { CliError } from "../../../src/cli/command.ts";
import { findInheritance, readProcess } from "../../../src/cli/takeover.ts";
import type { Config } from "../../../src/config/config.ts";
import { configFromObject } from "../../../src/config/load.ts";
import type { PassedSocket, System } from "../../../src/system.ts";

function configFor(address: string): Config {
  const loaded = configFromObject({ listeners: [{ address }], routes: {} }, { toAscii: (name) => name });
  assert.ok("config" in loaded);
  return loaded.config;
}

const socket = (address: string, descriptor: number | undefined): PassedSocket => ({
  endpoint: parseEndpoint(address)!,
  descriptor,
});

interface World {
  readonly passed?: readonly PassedSocket[];
  readonly others?: readonly PassedSocket[];
  readonly refusal?: string;
  readonly adopts?: boolean;
  readonly reusePort?: boolean;
  readonly migrates?: boolean;
}

async function find(replaced: string | undefined, world: World, address = "127.0.0.1:443") {
  const closed: number[] = [];
  const warnings: string[] = [];
  const system = {
    passedSockets: () => world.passed ?? [],
    socketsOf: async () => ({ sockets: world.others ?? [], ...(world.refusal && { refusal: world.refusal }) }),
    migratesQueues: () => world.migrates ?? false,
    closeDescriptor: (descriptor: number) => void closed.push(descriptor),
  } as Partial<System> as System;
  const capabilities = { adopts: world.adopts ?? true, reusePort: world.reusePort ?? true };
  const adapter = { name: "test", capabilities } as Partial<Adapter> as Adapter;
  const found = await findInheritance(system, configFor(address), { adapter, why: "" }, replaced, (line) =>
    warnings.push(line),
  );
  return { found, closed, warnings };
}

test("nothing is passed and nobody is replaced", async () => {
  assert.equal((await find(undefined, {})).found, undefined);
});

test("systemd's sockets come first", async () => {
  const { found } = await find(undefined, { passed: [socket("127.0.0.1:443", 3)] });
  assert.deepEqual([found?.from, found?.join], ["systemd", false]);
});

test("the sockets of the process that is replaced are taken", async () => {
  const { found, warnings } = await find("7", { others: [socket("127.0.0.1:443", 9)] });
  assert.deepEqual([found?.from, found?.join, found?.sockets[0]?.descriptor], ["process 7", true, 9]);
  assert.deepEqual(warnings, []);
});

test("where they cannot be, the port is shared, and what that costs is said", async () => {
  const refused = await find("7", { others: [socket("127.0.0.1:443", undefined)], refusal: "it is not allowed" });
  assert.equal(refused.found?.join, true);
  assert.match(refused.warnings[0] ?? "", /share the ports: it is not allowed; clients .*tcp_migrate_req is 1/);
  const unable = await find("7", { others: [socket("127.0.0.1:443", 9)], adopts: false, migrates: true });
  assert.deepEqual([unable.found?.sockets[0]?.descriptor, unable.closed, unable.warnings], [undefined, [9], []]);
  await assert.rejects(
    find("7", { others: [socket("127.0.0.1:443", 9)], adopts: false, reusePort: false }),
    /Cannot replace process 7: the adapter test cannot accept .* --unstable-net/,
  );
});

test("a stranger, a unix: listener and what is no number are refused", async () => {
  await assert.rejects(find("7", { others: [socket("127.0.0.1:80", 9)] }), /it listens on no address of this/);
  await assert.rejects(find("7", {}, "unix:/run/a"), /it removes the file of unix:\/run\/a when it ends; let systemd/);
  for (const text of ["", "0", "-1", "1e3", "certless", "12345678901"])
    assert.throws(() => readProcess(text), CliError);
});
