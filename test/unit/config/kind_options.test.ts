import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatConfigError, loadConfig } from "../../../src/config/load.ts";

function load(listener: string) {
  const yaml = `listeners: [{ address: 10.0.0.1:443, ${listener} }]\nroutes: {}\nupstreams: { p: { servers: ["10.0.0.2:22"] } }`;
  const loaded = loadConfig(yaml, { path: "t", toAscii: (name) => name });
  return "config" in loaded ? loaded.config.listeners[0]!.kinds : loaded.errors.map(formatConfigError).join("\n");
}

describe("a listener for any protocol", () => {
  test("sends by kind, and rejects what is left out", () => {
    const reject = { kind: "reject" };
    assert.deepEqual(load("protocol: 'any'"), { ssh: reject, other: reject, silent: undefined, silentAfter: 1000 });
    assert.deepEqual(load("protocol: 'any', ssh: '10.0.0.7:22', other: p, silent: 'a.com:22', silentAfter: 2s"), {
      ssh: { kind: "ip", ip: "10.0.0.7", port: 22 },
      other: { kind: "upstream", name: "p" },
      silent: { kind: "host", name: "a.com", port: 22 },
      silentAfter: 2000,
    });
    assert.equal(load("protocol: postgres"), undefined);
  });

  test("faults", () => {
    assert.match(String(load("ssh: '10.0.0.7:22'")), /Cannot use ssh: only a listener whose protocol is any has it/);
    assert.match(String(load("protocol: 'any', silentAfter: 1s")), /without 'silent' there is nowhere to go/);
    assert.match(
      String(load("protocol: 'any', ssh: direct")),
      /such a client names no server; write the server's address/,
    );
    assert.match(String(load("protocol: 'any', ssh: 10.0.0.7")), /the port is missing, as in 10\.0\.0\.7:22/);
    assert.match(String(load("protocol: 'any', other: nobody")), /no upstream has that name/);
  });
});
