/** Secure WebSockets of each runtime's own client through the proxy. `localhost` is the one name that resolves everywhere. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { COMBINATIONS, commandOf, forEachCombination } from "../conformance/harness/combinations.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { type Scope, suiteScope } from "../conformance/harness/waiting.ts";
import { binary } from "../runner/suites.ts";
import { type Certificates, makeCertificates, succeed } from "./tools.ts";

/** @returns the port. */
async function startEcho(scope: Scope, certificates: Certificates): Promise<number> {
  const child = spawn(binary("bun"), ["test/clients/websocket_echo.js", ...certificates.server("localhost")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  scope.after(() => void child.kill());
  const [line] = await child.stdout.setEncoding("utf8").take(1).toArray();
  return Number(line);
}

forEachCombination((combination) => {
  const scope = suiteScope();
  const stage = (async () => {
    const certificates = makeCertificates(scope);
    const port = await startEcho(scope, certificates);
    const proxy = await startProxy(scope, combination, {
      config: { listeners: [{ address: "127.0.0.1:0" }], routes: { localhost: `127.0.0.1:${port}` } },
    });
    return { certificates, proxy };
  })();

  for (const client of COMBINATIONS) {
    test(`WebSocket of ${client.runtime}`, async () => {
      const { certificates, proxy } = await stage;
      const [program, args] = commandOf(client, "test/clients/websocket_client.js");
      const env = { NODE_EXTRA_CA_CERTS: certificates.caPath, DENO_CERT: certificates.caPath };
      const out = await succeed(program, [...args, `wss://localhost:${proxy.port}/`], { env });
      assert.equal(out, "3:one 3:two 1048576:xxx");
    });
  }
});
