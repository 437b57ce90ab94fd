/** `certless permissions`: with exactly that line Deno passes traffic, and without any one of its flags it does not. */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { binary, ROOT } from "../runner/suites.ts";
import { forEachCombination } from "./harness/combinations.ts";
import { helloFor } from "./harness/hello.ts";
import { greet, startOrigin, temporaryDirectory } from "./harness/origin.ts";
import { dial } from "./harness/peer.ts";
import { type Scope, until } from "./harness/waiting.ts";

const HOST = "permitted.example.test";

/** The words of the line, `deno` first. Values hold nothing that a shell would look at. */
function printed(file: string, adapter: string, more: readonly string[] = []): string[] {
  const args = ["adapters/main.ts", "permissions", file, "--adapter", adapter, ...more];
  return execFileSync(binary("node"), args, { cwd: ROOT, encoding: "utf8" }).trim().split(" ");
}

interface Run {
  readonly endpoint: string | undefined;
  readonly said: string;
  /** All that it has said by now. */
  later(): string;
}

/** What it says until it listens or ends; `undefined` for the endpoint where it ended. */
async function run(scope: Scope, words: readonly string[]): Promise<Run> {
  const child = spawn(binary("deno"), words.slice(1), { cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] });
  scope.after(() => void child.kill("SIGKILL"));
  let said = "";
  let ended = false;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.on("close", () => {
    ended = true;
  });
  await until(
    () => `a start or an end; it said ${said}`,
    () => (ended || said.includes("access log:") ? true : undefined),
    30_000,
  );
  return { endpoint: /listening on (\S+):/.exec(said)?.[1], said, later: () => said };
}

async function passesTraffic(scope: Scope, endpoint: string): Promise<boolean> {
  const client = await dial(scope, endpoint);
  client.send(helloFor(HOST));
  await client.untilEnd();
  return client.text === "hello";
}

forEachCombination(({ name, runtime, adapter }) => {
  const skip = runtime === "deno" ? false : "Deno alone has permissions";

  test("the line is enough, and no flag can be left out", { skip }, async (t) => {
    const origin = await startOrigin(t, { accept: (peer) => void peer.send("hello").finish() });
    const directory = temporaryDirectory(t);
    const file = join(directory, "certless.yaml");
    const config = {
      listeners: [{ address: "127.0.0.1:0" }],
      routes: { [HOST]: "pool" },
      upstreams: { pool: { servers: [origin.address] } },
      log: { access: { path: join(directory, "access.log") } },
    };
    writeFileSync(file, JSON.stringify(config));
    const words = printed(file, adapter);
    assert.equal(words[0], "deno", name);
    const { endpoint, said } = await run(t, words);
    assert.ok(endpoint, said);
    assert.doesNotMatch(said, /Requires|--allow/);
    assert.equal(await passesTraffic(t, endpoint), true);
    const flags = words.filter((word) => word.startsWith("--allow-"));
    assert.ok(flags.length >= 4, words.join(" "));
    await Promise.all(
      flags.map(async (flag) => {
        const without = words.filter((word) => word !== flag);
        const less = await run(t, without);
        const works = less.endpoint !== undefined && (await passesTraffic(t, less.endpoint));
        assert.equal(works, false, `it works without ${flag}`);
      }),
    );
  });

  test("servers by name, checks and threads are in it, too", { skip }, async (t) => {
    const origin = await startOrigin(t, { accept: greet("hello") });
    const file = join(temporaryDirectory(t), "certless.yaml");
    const config = {
      listeners: [{ address: "127.0.0.1:0" }],
      routes: { [HOST]: "pool" },
      upstreams: { pool: { servers: [`localhost:${origin.port}`], healthCheck: "tcp" } },
      resolver: { families: ["ipv4"] },
      workers: 2,
      log: { access: false },
    };
    writeFileSync(file, JSON.stringify(config));
    const { endpoint, said } = await run(t, printed(file, adapter, ["--unit"]));
    assert.ok(endpoint, said);
    const client = await dial(t, endpoint);
    client.send(helloFor(HOST));
    await client.receiveText("hello");
  });

  test("the admin interface, its token, and a file that is watched", { skip }, async (t) => {
    const origin = await startOrigin(t, { accept: greet("hello") });
    const directory = temporaryDirectory(t);
    const file = join(directory, "certless.yaml");
    const token = join(directory, "token");
    writeFileSync(token, "s3cret\n");
    const config = {
      listeners: [{ address: "127.0.0.1:0" }],
      routes: { [HOST]: origin.address },
      admin: { address: "127.0.0.1:0", token: { file: token } },
      watch: true,
      log: { access: false },
    };
    writeFileSync(file, JSON.stringify(config));
    const { said, later } = await run(t, printed(file, adapter));
    const address = /admin interface: (\S+)/.exec(said)?.[1];
    assert.ok(address, said);
    const ask = async (path: string): Promise<Response> =>
      await fetch(`http://${address}/${path}`, { headers: { Authorization: "Bearer s3cret" } });
    for (const path of ["api/v1/status", "metrics", "api/v1/connections"])
      assert.equal((await ask(path)).status, 200, path);
    writeFileSync(file, JSON.stringify({ ...config, routes: { ...config.routes, "more.test": "reject" } }));
    await until(
      () => `a reload; it said ${later()}`,
      () => later().includes("reloaded in") || undefined,
    );
    assert.doesNotMatch(later(), /Requires|--allow|internal error/);
  });
});
