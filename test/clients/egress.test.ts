/** Real proxies on the way to a server: microsocks (SOCKS5) and tinyproxy (HTTP CONNECT), with and without credentials. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { forEachCombination } from "../conformance/harness/combinations.ts";
import { sendFirst } from "../conformance/harness/connection.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { startOrigin, temporaryDirectory } from "../conformance/harness/origin.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { type Scope, suiteScope } from "../conformance/harness/waiting.ts";
import { freeEndpoint, needsPrograms, startServer } from "./tools.ts";

const PASSWORD = "s3cret-4711";

/** @returns its `IP:port`. */
async function startMicrosocks(scope: Scope): Promise<string> {
  const { host, port } = await freeEndpoint();
  const args = ["-i", host, "-p", String(port), "-u", "me", "-P", PASSWORD];
  await startServer(scope, "microsocks", args, [`${host}:${port}`]);
  return `${host}:${port}`;
}

async function startTinyproxy(scope: Scope): Promise<string> {
  const { host, port } = await freeEndpoint();
  const configuration = join(temporaryDirectory(scope), "tinyproxy.conf");
  writeFileSync(
    configuration,
    `Listen ${host}\nPort ${port}\nAllow 127.0.0.0/8\nBasicAuth me ${PASSWORD}\nMaxClients 50\nTimeout 60\n`,
  );
  await startServer(scope, "tinyproxy", ["-d", "-c", configuration], [`${host}:${port}`]);
  return `${host}:${port}`;
}

describe("proxies on the way out", needsPrograms("microsocks", "tinyproxy"), () => {
  forEachCombination((combination) => {
    const scope = suiteScope();
    const stage = (async () => {
      const origin = await startOrigin(scope, { address: "[::]:0" });
      const [socks, http] = await Promise.all([startMicrosocks(scope), startTinyproxy(scope)]);
      const servers = [`localhost:${origin.port}`];
      const via = (url: string) => ({ url, passwordEnv: "EGRESS_PASSWORD" });
      const proxy = await startProxy(scope, combination, {
        config: {
          listeners: [{ address: "127.0.0.1:0" }],
          routes: { "socks.test": "socks", "http.test": "http", "wrong.test": "wrong", "bare.test": "bare" },
          upstreams: {
            socks: { servers, via: via(`socks5://me@${socks}`) },
            http: { servers, via: via(`http://me@${http}`) },
            wrong: { servers, via: via(`socks5://somebody@${socks}`) },
            bare: { servers, via: `http://${http}` },
          },
        },
        env: { EGRESS_PASSWORD: PASSWORD },
      });
      return { origin, proxy };
    })();

    for (const kind of ["socks", "http"]) {
      test(`${kind}: bytes both ways, and half-close`, async (t) => {
        const { origin, proxy } = await stage;
        const hello = helloFor(`${kind}.test`);
        const client = await sendFirst(t, proxy.endpoint, hello);
        const server = await origin.next();
        assert.deepEqual(await server.receive(hello.length), hello);
        server.send("welcome");
        await client.receiveText("welcome");
        client.send("more");
        await server.receiveText("more");
        client.finish();
        server.finish();
        await client.untilEnd();
        assert.equal((await proxy.recordOf(client)).reason, "ok");
      });
    }

    for (const [name, detail] of [
      ["wrong.test", /The SOCKS5 proxy refused/],
      ["bare.test", /answered 40[17]/],
    ] as const) {
      test(`${name}: credentials that the proxy does not take`, async (t) => {
        const { proxy } = await stage;
        const client = await sendFirst(t, proxy.endpoint, helloFor(name));
        await client.untilEnd();
        const record = await proxy.recordOf(client);
        assert.match(`${record.reason} ${record.detail}`, detail);
      });
    }
  });
});
