import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { examineMachine, isCertless } from "../../../src/doctor/machine_examination.ts";
import type { PortOwner } from "../../../src/system.ts";

interface World {
  /** Codes of the ports that cannot be opened. */
  readonly failures?: Readonly<Record<number, string>>;
  readonly owner?: PortOwner;
  readonly descriptors?: number;
  readonly connections?: number;
}

async function examine({ failures = {}, owner, descriptors = 20_000, connections }: World): Promise<string[]> {
  const listeners = [{ address: "10.0.0.5:443" }, { address: "10.0.0.5:80", protocol: "http" }];
  const limits = connections === undefined ? {} : { limits: { connections } };
  const text = JSON.stringify({ listeners, routes: { "a.test": "reject" }, ...limits });
  const loaded = loadConfig(text, { path: "test", toAscii: (name) => name });
  assert.ok("config" in loaded);
  let open = 0;
  const findings = await examineMachine({
    config: loaded.config,
    host: { descriptorLimit: () => descriptors },
    ownerOf: async () => owner,
    adapter: {
      listen: async (endpoint) => {
        const code = endpoint.kind === "tcp" ? failures[endpoint.port] : undefined;
        if (code !== undefined) throw { code, message: code };
        open++;
        return { endpoint, close: () => void open--, pause() {}, resume() {} };
      },
    },
  });
  assert.equal(open, 0, "no port is left open");
  return findings.map(({ id, subject, seen }) => `${id} ${subject}: ${seen}`);
}

describe("what this machine allows", () => {
  test("all is well", async () => assert.deepEqual(await examine({}), []));

  test("ports that cannot be opened, and who has them", async () => {
    assert.deepEqual(await examine({ failures: { 80: "EACCES" } }), ["port_unusable 10.0.0.5:80: EACCES"]);
    const failures = { 443: "EADDRINUSE" };
    assert.deepEqual(await examine({ failures }), ["port_in_use 10.0.0.5:443: EADDRINUSE"]);
    assert.deepEqual(await examine({ failures, owner: { process: 7, command: "nginx: \u001bmaster" } }), [
      "port_taken 10.0.0.5:443: process 7: nginx: \\x1bmaster",
    ]);
    assert.deepEqual(await examine({ failures, owner: { process: 8, command: "node /opt/certless.js run a.yaml" } }), [
      "port_served 10.0.0.5:443: process 8: node /opt/certless.js run a.yaml",
    ]);
  });

  test("descriptors: two for each connection", async () => {
    assert.deepEqual(await examine({ descriptors: 1_000 }), [
      "descriptors limits.connections: auto connections, and 1000 descriptors",
    ]);
    assert.equal((await examine({ descriptors: 20_000, connections: 10_001 })).length, 1);
    assert.deepEqual(await examine({ descriptors: 20_000, connections: 10_000 }), []);
  });

  test("certless is known by what it was started with", () => {
    for (const yes of [
      "certless run",
      "/usr/bin/certless run x",
      "bun /a/adapters/main.ts run",
      "deno run -A adapters/main.ts run",
    ])
      assert.ok(isCertless(yes), yes);
    for (const no of ["certless demo", "vi certless.yaml", "node other/main.ts run", "certless-exporter run"])
      assert.ok(!isCertless(no), no);
  });
});
