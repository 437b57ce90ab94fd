import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { loadSecrets } from "../../src/secrets.ts";
import { StartError } from "../../src/start_error.ts";

function configOf(rest: string): Config {
  const loaded = loadConfig(`listeners: [{ address: 10.0.0.1:443, protocol: 'any', ssh: "ssh.test:22" }]\n${rest}`, {
    path: "t",
    toAscii: (name) => name,
  });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  return loaded.config;
}

const CONFIG = configOf(`routes: { a.com: { to: "behind.test:1", via: "http://p.test:1" }, c.com: "plain.test:1" }
upstreams:
  p: { servers: ["hidden.test:1"], via: { url: "socks5://u@q.test:3", passwordEnv: PW } }
  q: { servers: ["seen.test:1"] }
  r: { servers: ["hidden.test:1"], via: { url: "socks5://u@q.test:3", passwordFile: /run/pw } }`);

describe("passwords of proxies", () => {
  const host = (env: Record<string, string>, files: Record<string, string>) => ({
    env,
    async readTextFile(path: string): Promise<string> {
      const text = files[path];
      if (text === undefined) throw { code: "ENOENT", message: "" };
      return text;
    },
  });

  test("from the environment and from files", async () => {
    assert.deepEqual(await loadSecrets(CONFIG, host({ PW: "one" }, { "/run/pw": "two\n" })), {
      "env:PW": "one",
      "file:/run/pw": "two",
    });
  });

  test("all that are missing at once, none of them shown", async () => {
    await assert.rejects(loadSecrets(CONFIG, host({ PW: "s3\ncret" }, {})), (error) => {
      assert.ok(error instanceof StartError);
      assert.equal(
        error.message,
        "Cannot read the password of upstreams.p.via from the environment variable PW: it must be one line, without control characters\n" +
          'Cannot read the password of upstreams.r.via from the file "/run/pw": there is no such file',
      );
      return true;
    });
  });
});
