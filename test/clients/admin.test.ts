/** The admin interface as curl sees it: over TCP, on a unix socket, and what it is not to be talked into. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ErrorAnswer, StatusAnswer } from "../../src/admin/api.ts";
import { COMBINATIONS } from "../conformance/harness/combinations.ts";
import { temporaryDirectory } from "../conformance/harness/origin.ts";
import { type RunningProxy, startProxy } from "../conformance/harness/proxy.ts";
import type { Scope } from "../conformance/harness/waiting.ts";
import { needsPrograms, run } from "./tools.ts";

const TOKEN = "not-to-be-guessed";

/** Who answers is the runtime's HTTP, whatever carries connections. */
const ROWS = COMBINATIONS.filter(({ runtime, adapter }) => runtime === adapter);

for (const combination of ROWS) {
  describe(combination.name, needsPrograms("curl"), () => {
    function start(t: Scope, admin: object): Promise<RunningProxy> {
      const config = { listeners: [{ address: "127.0.0.1:0" }], routes: { "a.example.test": "192.0.2.1" }, admin };
      return startProxy(t, combination, { config });
    }

    /** The status, then the body. */
    async function curl(...args: string[]): Promise<readonly [status: string, body: string]> {
      const { out, err } = await run("curl", ["-sS", "--path-as-is", "-w", "\n%{http_code}", ...args]);
      const split = out.lastIndexOf("\n");
      return [out.slice(split + 1), `${out.slice(0, split)}${err}`];
    }

    async function urlOf(proxy: RunningProxy): Promise<string> {
      const [, address] = await proxy.waitForStderr(/^certless: admin interface: (.*)$/m);
      return `http://${address}`;
    }

    test("over TCP", async (t) => {
      const url = await urlOf(await start(t, { address: "127.0.0.1:0" }));
      const [status, body] = await curl(`${url}/api/v1/status`);
      assert.equal(status, "200");
      assert.deepEqual((JSON.parse(body) as StatusAnswer).findings, []);
      assert.equal((await curl("--head", `${url}/healthz`))[0], "200");
      const json = ["-H", "Content-Type: application/json", "-H", "X-Certless-Admin: 1"];
      assert.equal((await curl("-X", "POST", ...json, `${url}/api/v1/reload`))[0], "200");
      const refused: readonly (readonly [string, ...string[]])[] = [
        ["403", "-H", "Host: evil.test", `${url}/api/v1/status`],
        ["404", `${url}/../../etc/passwd`],
        ["404", `${url}/%2e%2e/%2e%2e/etc/passwd`],
        ["404", `${url}/api/v1/status%00`],
        ["405", "-X", "POST", ...json, `${url}/api/v1/status`],
        ["413", ...json, "-d", "x".repeat(70_000), `${url}/api/v1/close`],
        ["415", "-d", "id=1", `${url}/api/v1/close`],
        ["403", ...json, "-H", "Origin: http://evil.test", "-d", "{}", `${url}/api/v1/drain`],
        ["431", "-H", `X-Long: ${"x".repeat(20_000)}`, `${url}/healthz`],
      ];
      for (const [wanted, ...args] of refused) {
        const [answered, said] = await curl(...args);
        assert.equal(answered, wanted, `${args.join(" ").slice(0, 200)}: ${said}`);
        assert.match((JSON.parse(said) as ErrorAnswer).message, /^Cannot /);
      }
      const page = await curl("-D", "-", `${url}/`);
      assert.match(page[1], /^content-security-policy: default-src 'none';/im);
    });

    test("on a unix socket, by a token", async (t) => {
      const directory = temporaryDirectory(t);
      const [path, file] = [join(directory, "admin.sock"), join(directory, "token")];
      writeFileSync(file, `${TOKEN}\n`);
      await start(t, { address: `unix:${path}`, token: { file } });
      const url = "http://localhost/api/v1/upstreams";
      assert.equal((await curl("--unix-socket", path, url))[0], "401");
      assert.equal((await curl("--unix-socket", path, "-H", "Authorization: Bearer wrong", url))[0], "401");
      const [status, body] = await curl("--unix-socket", path, "-H", `Authorization: Bearer ${TOKEN}`, url);
      assert.deepEqual([status, JSON.parse(body)], ["200", { upstreams: [] }]);
    });
  });
}
