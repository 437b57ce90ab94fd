/** Between other people's proxies: HAProxy in front with a PROXY header, nginx behind one. And plain HTTP by curl. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { forEachCombination } from "../conformance/harness/combinations.ts";
import { temporaryDirectory } from "../conformance/harness/origin.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { type Scope, suiteScope } from "../conformance/harness/waiting.ts";
import { makeCertificates, needsPrograms, startNginx, startServer, succeed } from "./tools.ts";

const NAME = "proxied.example.test";

/** HAProxy in TCP mode on a `unix:` socket. @returns the socket's path. */
async function startHaproxy(scope: Scope, port: number, send: string): Promise<string> {
  const directory = temporaryDirectory(scope);
  const socket = join(directory, "front.sock");
  const configuration = join(directory, "haproxy.cfg");
  writeFileSync(
    configuration,
    `defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen front
  bind unix@${socket} mode 666
  server certless 127.0.0.1:${port} ${send}
`,
  );
  await startServer(scope, "haproxy", ["-db", "-f", configuration], [socket]);
  return socket;
}

describe("other proxies", needsPrograms("nginx", "haproxy", "curl"), () => {
  forEachCombination((combination) => {
    const scope = suiteScope();

    for (const [send, version] of [
      ["send-proxy", "v1"],
      ["send-proxy-v2", "v2"],
    ] as const) {
      test(`HAProxy ${send} in front, nginx with proxy_protocol behind (${version})`, async () => {
        const certificates = makeCertificates(scope);
        const nginx = await startNginx(scope, certificates);
        const proxy = await startProxy(scope, combination, {
          config: {
            listeners: [
              { address: "127.0.0.1:0", proxyProtocol: true, trustedProxies: ["127.0.0.0/8"] },
              { address: "127.0.0.1:0" },
            ],
            routes: { [NAME]: "pool" },
            upstreams: { pool: { servers: [nginx.proxied], proxyProtocol: version } },
          },
        });
        const front = await startHaproxy(scope, proxy.port, send);
        const common = ["-sS", "--cacert", certificates.caPath];
        // Through HAProxy the client is a unix socket: its header says UNKNOWN, or LOCAL addresses; it must still pass.
        const through = await succeed("curl", [...common, "--unix-socket", front, `https://${NAME}/`]);
        assert.match(through, new RegExp(`${NAME} as ${NAME} by HTTP/2\\.0 for`));
        const port = proxy.endpoints[1]!.split(":").at(-1)!;
        const direct = await succeed("curl", [
          ...common,
          "--interface",
          "127.0.0.7",
          "--resolve",
          `${NAME}:${port}:127.0.0.1`,
          `https://${NAME}:${port}/`,
        ]);
        assert.match(direct, /for 127\.0\.0\.7</);
      });
    }
  });
});

describe("plain HTTP by curl", needsPrograms("nginx", "curl"), () => {
  forEachCombination((combination) => {
    const scope = suiteScope();

    test("two hosts on one client, keep-alive, chunked upload, and short replies", async () => {
      const nginx = await startNginx(scope, makeCertificates(scope));
      const proxy = await startProxy(scope, combination, {
        config: {
          listeners: [{ address: "127.0.0.1:0", protocol: "http" }],
          routes: { "a.example.test": nginx.plain, "b.example.test": nginx.plain },
        },
      });
      const { port } = proxy;
      const at = (name: string): string[] => ["--resolve", `${name}:${port}:127.0.0.1`];
      const both = [...at("a.example.test"), ...at("b.example.test"), ...at("c.example.test")];
      const urls = ["a", "b", "a"].map((host) => `http://${host}.example.test:${port}/x`);
      const pages = await succeed("curl", ["-sS", ...both, ...urls]);
      assert.equal(pages, "a.example.test GET /x close \nb.example.test GET /x close \na.example.test GET /x close \n");
      const upload = [
        "-sS",
        ...both,
        "-T",
        "-",
        "-H",
        "Transfer-Encoding: chunked",
        `http://a.example.test:${port}/upload`,
      ];
      assert.equal(await succeed("curl", upload, { input: new Uint8Array(3_000_000) }), "received 3000000\n");
      const status = await succeed("curl", [
        "-sS",
        ...both,
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        `http://c.example.test:${port}/`,
      ]);
      assert.equal(status, "404");
    });
  });
});
