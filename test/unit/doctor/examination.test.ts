import assert from "node:assert/strict";
import { test } from "node:test";
import { domainToASCII } from "node:url";
import { systemClock } from "../../../adapters/clock.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { type ExaminationParts, examineServers } from "../../../src/doctor/examination.ts";

const TWO_LISTENERS = `
listeners: [{ address: 127.0.0.1:443 }, { address: "[::1]:443" }]
routes: { a.test: 192.0.2.1:443, b.test: direct }
`;

test("a name that comes in by several listeners is asked about once, and told of once", async () => {
  const loaded = loadConfig(TWO_LISTENERS, { path: "test", toAscii: domainToASCII });
  assert.ok("config" in loaded);
  const asked: string[] = [];
  const parts: ExaminationParts = {
    config: loaded.config,
    clock: systemClock,
    ownAddresses: [],
    resolver: {
      concurrency: 4,
      resolve: (_, answered) => answered({ code: "ENOTFOUND", message: "ENOTFOUND" }),
      resolveService: (_, answered) => answered({ code: "ENOTFOUND", message: "ENOTFOUND" }),
      resolveBindings: (_, answered) => answered({ code: "ENOTFOUND", message: "ENOTFOUND" }),
      resolveByDns: (_, answered) => answered({ code: "ENOTFOUND", message: "ENOTFOUND" }),
      close() {},
    },
    probe: ({ endpoint }, answered) => {
      asked.push(endpoint.kind === "tcp" ? endpoint.ip : endpoint.path);
      const error = { code: "ECONNREFUSED", message: "connection refused" };
      queueMicrotask(() => answered({ ok: false, duration: 1, stage: "connect", error }));
      return () => {};
    },
  };
  const findings = await examineServers(parts);
  assert.deepEqual(
    findings.map(({ id, subject }) => `${id} ${subject}`),
    ["name_unresolved b.test", "server_unreachable a.test"],
  );
  assert.deepEqual(asked, ["192.0.2.1"]);
});
