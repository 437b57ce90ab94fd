import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { newRecord } from "../../src/connection_record.ts";
import { unknownVariable, VARIABLES, variable } from "../../src/variables.ts";

const endpoint = { kind: "tcp", ip: "192.0.2.1", port: 4711 } as const;

describe("variables", () => {
  test("every one reads a fresh record, and is described", () => {
    const record = newRecord(1, 0, "0.0.0.0:443", "tls", endpoint, endpoint);
    for (const [name, { read, description }] of Object.entries(VARIABLES)) {
      assert.match(name, /^[a-z0-9_]+$/);
      assert.notEqual(description, "");
      assert.doesNotThrow(() => read(record), name);
    }
  });

  test("a name is looked up among the table's own only", () => {
    assert.equal(variable("__proto__"), undefined);
    assert.equal(variable("toString"), undefined);
    assert.equal(typeof variable("remote_addr"), "function");
  });

  test("the first unknown one of a text is found", () => {
    assert.equal(unknownVariable("$remote_addr ${host} $"), undefined);
    assert.equal(unknownVariable("$remote_addr ${constructor} $nope"), "constructor");
  });

  test("a unix peer has no port", () => {
    const record = newRecord(1, 0, "unix:/run/x", "tls", { kind: "unix", path: "" }, { kind: "unix", path: "/run/x" });
    assert.equal(variable("remote_addr")!(record), "unix:");
    assert.equal(variable("remote_port")!(record), undefined);
  });
});
