/** Checks of real servers: nginx with and without a PROXY header and without TLS, and one that takes TLS 1.2 alone. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { describe, test } from "node:test";
import { commandOf, forEachCombination } from "../conformance/harness/combinations.ts";
import { refusing } from "../conformance/harness/origin.ts";
import { type Scope, suiteScope, until } from "../conformance/harness/waiting.ts";
import { type Certificates, makeCertificates, needsPrograms, run, SHOP, startNginx } from "./tools.ts";

const PROXIED = "proxied.example.test";

/** OpenSSL's own server, of TLS 1.2 alone; it fails all who do not ask for `SHOP`. @returns its address. */
async function startOpenssl(scope: Scope, certificates: Certificates): Promise<string> {
  const address = await freeAddress();
  const [certificate, key] = certificates.server(SHOP);
  const names = ["-servername", SHOP, "-servername_fatal", "-cert2", certificate, "-key2", key];
  const args = ["s_server", "-accept", address, "-cert", certificate, "-key", key, "-tls1_2", "-quiet", ...names];
  const child = spawn("openssl", args, { stdio: ["pipe", "ignore", "ignore"] });
  const ended = once(child, "close");
  scope.after(async () => {
    child.kill();
    await ended;
  });
  await until("openssl s_server", async () => ((await answers(address)) ? true : undefined));
  return address;
}

async function freeAddress(): Promise<string> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return `127.0.0.1:${port}`;
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(Number(address.split(":")[1]), "127.0.0.1", () => resolve(true));
    socket.on("error", () => resolve(false)).on("connect", () => socket.destroy());
  });
}

describe("checks of real servers", needsPrograms("nginx", "openssl"), () => {
  forEachCombination((combination) => {
    // The runtime asks, whatever adapter carries the connections.
    const skip = combination.adapter === "linux" && "the same probes as with the runtime's own adapter";
    const scope = suiteScope();

    test("nginx, nginx behind a PROXY header of both versions, nginx by HTTP, OpenSSL with TLS 1.2", {
      skip,
    }, async () => {
      const certificates = makeCertificates(scope);
      const nginx = await startNginx(scope, certificates);
      const openssl = await startOpenssl(scope, certificates);
      const tls = { type: "tls", verify: true, timeout: "5s" };
      const upstreams = {
        shop: { servers: [nginx.shop, openssl], healthCheck: tls },
        v1: { servers: [nginx.proxied], proxyProtocol: "v1", healthCheck: tls },
        v2: { servers: [nginx.proxied], proxyProtocol: "v2", healthCheck: tls },
        http: { servers: [nginx.plain], healthCheck: { type: "http", method: "HEAD", expect: 200 } },
        wrong: { servers: [openssl], healthCheck: { ...tls, serverName: "other.example.test" } },
        noHeader: { servers: [nginx.proxied], healthCheck: { ...tls, serverName: PROXIED } },
        refused: { servers: [await refusing(scope)] },
      };
      const config = {
        listeners: [{ address: "127.0.0.1:1" }, { address: "127.0.0.1:2", routes: { [PROXIED]: "v2" } }],
        routes: { [SHOP]: "shop", [PROXIED]: "v1" },
        upstreams,
      };
      const [file, args] = commandOf(combination, "adapters/main.ts");
      const { code, out, err } = await run(file, [...args, "probe", "-"], {
        input: JSON.stringify(config),
        env: { NODE_EXTRA_CA_CERTS: certificates.caPath },
      });
      assert.equal(code, 1, err);
      const rows = out.split("\n").slice(1, -2);
      const states = rows.map((row) => row.replace(/^(\w+) +\S+ +(up|down) .*$/, "$1 $2"));
      assert.deepEqual(
        states,
        ["shop up", "shop up", "v1 up", "v2 up", "http up", "wrong down", "noHeader down", "refused down"],
        out,
      );
      assert.match(rows[0] ?? "", /shop\.example\.test: 6 days left \(\S+\), by certless test CA$/);
    });
  });
});
