/** A real browser: headless Chromium with its certificate checks on, over HTTP/2. */

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { forEachCombination } from "../conformance/harness/combinations.ts";
import { temporaryDirectory } from "../conformance/harness/origin.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { type Scope, suiteScope } from "../conformance/harness/waiting.ts";
import { API, type Certificates, makeCertificates, needsPrograms, SHOP, startNginx, succeed } from "./tools.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--virtual-time-budget=5000",
];

/** A home in which the test's authority is trusted, and nothing else is known. */
async function trustingHome(scope: Scope, certificates: Certificates): Promise<string> {
  const home = temporaryDirectory(scope);
  const database = join(home, ".pki", "nssdb");
  mkdirSync(database, { recursive: true });
  await succeed("certutil", ["-N", "-d", `sql:${database}`, "--empty-password"]);
  await succeed("certutil", ["-A", "-d", `sql:${database}`, "-t", "C,,", "-n", "test", "-i", certificates.caPath]);
  return home;
}

describe("Chromium", needsPrograms("chromium", "certutil", "nginx"), () => {
  forEachCombination((combination) => {
    const scope = suiteScope();

    test("loads pages of two names over HTTP/2, and verifies their certificates", async () => {
      const certificates = makeCertificates(scope);
      const nginx = await startNginx(scope, certificates);
      const proxy = await startProxy(scope, combination, {
        config: { listeners: [{ address: "127.0.0.1:0" }], routes: { [SHOP]: nginx.shop, [API]: nginx.api } },
      });
      const home = await trustingHome(scope, certificates);
      for (const name of [SHOP, API]) {
        const profile = `--user-data-dir=${join(home, name)}`;
        const args = [...FLAGS, profile, `--host-resolver-rules=MAP ${name} 127.0.0.1`, "--dump-dom"];
        const page = await succeed("chromium", [...args, `https://${name}:${proxy.port}/`], {
          env: { HOME: home },
          timeout: 60_000,
        });
        assert.match(page, new RegExp(`${name} as ${name} by HTTP/2\\.0`));
        const record = await proxy.waitForRecord((entry) => entry.serverName === name && entry.reason === "ok", name);
        assert.ok(record.alpn?.includes("h2"));
      }
    });
  });
});
