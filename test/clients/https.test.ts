/** HTTPS clients of every stack reach the right server through the proxy, with their own certificate checks on. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { COMBINATIONS, commandOf, forEachCombination } from "../conformance/harness/combinations.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { suiteScope } from "../conformance/harness/waiting.ts";
import { API, makeCertificates, needsPrograms, run, SHOP, startNginx, succeed } from "./tools.ts";

describe("HTTPS clients", needsPrograms("nginx"), () => {
  forEachCombination((combination) => {
    const scope = suiteScope();
    const stage = (async () => {
      const certificates = makeCertificates(scope);
      const nginx = await startNginx(scope, certificates);
      const proxy = await startProxy(scope, combination, {
        config: {
          listeners: [{ address: "127.0.0.1:0" }],
          routes: { [SHOP]: nginx.shop, [API]: nginx.api, "wrong.example.test": nginx.shop },
        },
      });
      return { certificates, proxy };
    })();

    /** curl by a name that leads to the proxy. */
    const curl = async (name: string, ...args: string[]) => {
      const { certificates, proxy } = await stage;
      const resolve = `${name}:${proxy.port}:127.0.0.1`;
      const url = `https://${name}:${proxy.port}`;
      return await run("curl", ["-sS", "--cacert", certificates.caPath, "--resolve", resolve, ...args, `${url}/`]);
    };

    test("curl, HTTP/2 and HTTP/1.1, by two names", needsPrograms("curl"), async () => {
      assert.match((await curl(SHOP, "--http2")).out, /shop\.example\.test as shop\.example\.test by HTTP\/2\.0/);
      assert.match((await curl(API, "--http1.1")).out, /api\.example\.test as api\.example\.test by HTTP\/1\.1/);
    });

    test(
      "curl sees the alert for an unknown name, and its own check refuses a wrong certificate",
      needsPrograms("curl"),
      async () => {
        const unknown = await curl("unknown.example.test");
        assert.equal(unknown.code, 35);
        assert.match(unknown.err, /unrecognized name/);
        const wrong = await curl("wrong.example.test");
        assert.equal(wrong.code, 60, wrong.err);
      },
    );

    test("curl uploads 20 MB", needsPrograms("curl"), async () => {
      const { certificates, proxy } = await stage;
      const body = new Uint8Array(20_000_000).fill(7);
      const out = await succeed(
        "curl",
        [
          "-sS",
          "--cacert",
          certificates.caPath,
          "--resolve",
          `${SHOP}:${proxy.port}:127.0.0.1`,
          "-T",
          "-",
          `https://${SHOP}:${proxy.port}/upload`,
        ],
        { input: body },
      );
      assert.equal(out, "received 20000000\n");
    });

    for (const version of ["tls1_2", "tls1_3"]) {
      test(`openssl s_client, ${version}`, needsPrograms("openssl"), async () => {
        const { certificates, proxy } = await stage;
        const args = ["s_client", "-connect", `127.0.0.1:${proxy.port}`, "-servername", SHOP, `-${version}`];
        const out = await succeed("openssl", [...args, "-CAfile", certificates.caPath, "-verify_return_error"]);
        assert.match(out, /Verification: OK/);
        assert.match(out, /subject=.*shop\.example\.test/);
      });
    }

    test("openssl s_client without a name is told so", needsPrograms("openssl"), async () => {
      const { proxy } = await stage;
      const { err, out } = await run("openssl", ["s_client", "-connect", `127.0.0.1:${proxy.port}`, "-noservername"]);
      assert.match(err + out, /alert missing extension/);
    });

    test("gnutls-cli", needsPrograms("gnutls-cli"), async () => {
      const { certificates, proxy } = await stage;
      const args = ["--x509cafile", certificates.caPath, "-p", String(proxy.port), "--sni-hostname", SHOP];
      const out = await succeed("gnutls-cli", [...args, "--verify-hostname", SHOP, "127.0.0.1"]);
      assert.match(out, /The certificate is trusted/);
    });

    for (const client of COMBINATIONS) {
      test(`${client.runtime}'s own TLS`, async () => {
        const { certificates, proxy } = await stage;
        const get = async (name: string) => {
          const [program, args] = commandOf(client, "test/clients/https_get.ts");
          return JSON.parse(await succeed(program, [...args, String(proxy.port), name, certificates.caPath]));
        };
        const shop = await get(SHOP);
        assert.match(shop.body ?? shop.message, /shop\.example\.test as shop\.example\.test/);
        assert.equal(shop.certificate.issuer, "certless test CA");
        assert.equal((await get("unknown.example.test")).alert, "unrecognized_name");
      });
    }
  });
});
