import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { configFromObject } from "../../../src/config/load.ts";
import { optionRows, optionTable } from "../../../src/config/option_table.ts";
import { jsonSchema } from "../../../src/config/schema.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../../src/config/units.ts";

const toAscii = (name: string): string => name;

/** Sets the default that the table tells for each option of one section. */
function withDefaults(section: string): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const row of optionRows()) {
    const [head, key, deeper] = row.path.split(".");
    if (head !== section || key === undefined || row.default === undefined) continue;
    const text = row.default.slice(1, -1);
    const plain = text === "[]" ? [] : text === "false" ? false : text;
    if (deeper === undefined) value[key] = plain;
    else value[key] = { ...(value[key] as object), [deeper]: plain };
  }
  return value;
}

describe("the option table", () => {
  test("has a row for every option, with a description", () => {
    const rows = optionRows();
    assert.ok(rows.length >= 43, `${rows.length} rows`);
    assert.ok(rows.every((row) => row.description.endsWith(".")));
    assert.equal(new Set(rows.map((row) => row.path)).size, rows.length);
    assert.deepEqual(
      rows.filter((row) => row.required).map((row) => row.path),
      [
        "listeners",
        "listeners[].address",
        "routes.NAME.to",
        "upstreams.NAME.servers",
        "upstreams.NAME.via.url",
        "upstreams.NAME.queue.size",
        "upstreams.NAME.healthCheck.type",
        "admin.address",
      ],
    );
  });

  test("tells the defaults that are used", () => {
    const base = { listeners: [{ address: "10.0.0.1:443" }], routes: {} };
    const sections = ["timeouts", "resolver", "limits", "log"].map((name) => [name, withDefaults(name)]);
    const given = configFromObject({ ...base, ...Object.fromEntries(sections), adapter: "auto" }, { toAscii });
    assert.deepEqual(given, configFromObject(base, { toAscii }));
    assert.deepEqual(withDefaults("timeouts"), { preread: "10s", connect: "15s", idle: "1h", drain: "30s" });
    assert.deepEqual(withDefaults("log"), { access: { path: "stdout", format: "text" } });
  });

  test("is Markdown with four cells a row", () => {
    const lines = optionTable().split("\n");
    const rows = lines.filter((line) => line.startsWith("|"));
    assert.equal(rows.length, 2 + optionRows().length);
    assert.ok(rows.every((line) => line.replaceAll("\\|", "").split("|").length === 6));
    assert.ok(rows.includes("| `timeouts.idle` | duration | `1h` | Without a byte either way. |"));
  });
});

describe("the JSON Schema", () => {
  type Node = { readonly [key: string]: unknown };
  const at = (...keys: string[]): Node => keys.reduce((node, key) => node[key] as Node, jsonSchema() as Node);

  test("is a closed draft-07 schema of what may be written", () => {
    const schema = jsonSchema();
    assert.equal(schema.$schema, "http://json-schema.org/draft-07/schema#");
    assert.deepEqual(schema.required, ["listeners"]);
    assert.equal(schema.additionalProperties, false);
    assert.deepEqual(Object.keys(at("properties")), [
      "include",
      "listeners",
      "routes",
      "upstreams",
      "timeouts",
      "resolver",
      "selfAddresses",
      "limits",
      "log",
      "tcp",
      "admin",
      "watch",
      "user",
      "group",
      "adapter",
      "workers",
    ]);
    assert.deepEqual(at("properties", "listeners", "items").required, ["address"]);
    assert.deepEqual(at("properties", "listeners", "items", "properties", "protocol").enum, [
      "tls",
      "http",
      "postgres",
      "any",
    ]);
    assert.deepEqual(at("properties", "timeouts", "properties", "idle"), {
      type: "string",
      title: "duration",
      pattern: "^[0-9]{1,9}(ms|s|m|h|d)$",
      default: "1h",
      description: "Without a byte either way.",
    });
    assert.equal((at("properties", "routes", "additionalProperties").anyOf as unknown[]).length, 2);
    assert.deepEqual(JSON.parse(JSON.stringify(schema)), schema);
  });
});

describe("units", () => {
  test("durations", () => {
    const good = {
      "500ms": 500,
      "10s": 10_000,
      "5m": 300_000,
      "1h": 3_600_000,
      "1d": 86_400_000,
      "0s": 0,
      "007s": 7000,
    };
    for (const [text, value] of Object.entries(good)) assert.equal(parseDuration(text), value);
    for (const text of [
      "",
      "10",
      "s",
      "1.5s",
      "-1s",
      "10 s",
      "1m30s",
      "10S",
      "10sec",
      "1e3s",
      "9999999999s",
      "10s\n",
    ]) {
      assert.equal(parseDuration(text), undefined, text);
    }
    for (const value of [1, 999, 1000, 60_000, 90_000, 3_600_000, 86_400_000]) {
      assert.equal(parseDuration(formatDuration(value)), value);
    }
  });

  test("sizes", () => {
    const good = {
      "4096": 4096,
      "4096B": 4096,
      "64KiB": 65_536,
      "10MB": 1e7,
      "1kB": 1000,
      "1KB": 1000,
      "2GiB": 2 ** 31,
    };
    for (const [text, value] of Object.entries(good)) assert.equal(parseSize(text), value);
    for (const text of ["", "64k", "64kib", "1.5MB", "-1", "1 MB", "KiB", "1TiB", "12345678901"]) {
      assert.equal(parseSize(text), undefined, text);
    }
    assert.equal(formatSize(65_536), "64KiB");
    assert.equal(formatSize(1000), "1000 bytes");
  });
});
