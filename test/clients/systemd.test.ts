/**
 * The examples for systemd and logrotate, read by the real programs: units are verified, a rotation loses no line, and
 * systemd's own programs pass sockets. No service is started.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { test } from "node:test";
import { forEachCombination } from "../conformance/harness/combinations.ts";
import { sendFirst } from "../conformance/harness/connection.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { greet, startOrigin, temporaryDirectory } from "../conformance/harness/origin.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { until } from "../conformance/harness/waiting.ts";
import { binary, ROOT } from "../runner/suites.ts";
import { needsPrograms, run } from "./tools.ts";

const HOST = "rotated.example.test";
const EXAMPLES = joinPath(ROOT, "examples");

test("systemd-analyze finds nothing wrong with the units", needsPrograms("systemd-analyze"), async (t) => {
  const directory = temporaryDirectory(t);
  const unit = readFileSync(joinPath(EXAMPLES, "certless.service"), "utf8");
  const paths = [joinPath(directory, "certless.service"), joinPath(directory, "certless.socket")] as const;
  // Only the program is not there.
  writeFileSync(paths[0], unit.replace(/^ExecStart=\S+/m, "ExecStart=/bin/true"));
  copyFileSync(joinPath(EXAMPLES, "certless.socket"), paths[1]);
  const { code, out, err } = await run("systemd-analyze", ["verify", ...paths]);
  assert.equal(code, 0, out + err);
  assert.doesNotMatch(out + err, /certless\.(service|socket)/);
});

test("a socket by systemd-socket-activate is served", needsPrograms("systemd-socket-activate", "curl"), async (t) => {
  const origin = await startOrigin(t, { accept: greet("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") });
  const port = await freePort(t);
  const file = joinPath(temporaryDirectory(t), "certless.yaml");
  const listeners = [{ address: `127.0.0.1:${port}`, protocol: "http" }];
  writeFileSync(file, JSON.stringify({ listeners, routes: { [HOST]: origin.address }, log: { access: false } }));
  const program = [binary("node"), "adapters/main.ts", "run", file];
  const child = spawn("systemd-socket-activate", ["-l", `127.0.0.1:${port}`, ...program], {
    cwd: ROOT,
    stdio: "ignore",
  });
  t.after(() => void child.kill("SIGKILL"));
  // The first client is what starts it.
  const url = `http://${HOST}:${port}/`;
  const args = [
    "-sS",
    "--retry",
    "20",
    "--retry-connrefused",
    "--retry-delay",
    "1",
    "--resolve",
    `${HOST}:${port}:127.0.0.1`,
    url,
  ];
  const { out, err } = await run("curl", args);
  assert.equal(out, "hi", err);
});

async function freePort(t: Parameters<typeof temporaryDirectory>[0]): Promise<number> {
  const origin = await startOrigin(t);
  const { port } = origin;
  origin.close();
  return port;
}

forEachCombination((combination) => {
  test("logrotate loses no line", needsPrograms("logrotate"), async (t) => {
    const origin = await startOrigin(t, { accept: greet("hi") });
    const directory = temporaryDirectory(t);
    chmodSync(directory, 0o755);
    const log = joinPath(directory, "access.log");
    const proxy = await startProxy(t, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0" }],
        routes: { [HOST]: origin.address },
        log: { access: { path: log, format: "$remote_addr $reason" } },
      },
    });
    const rules = joinPath(directory, "rules");
    const example = readFileSync(joinPath(EXAMPLES, "certless.logrotate"), "utf8");
    const ours = example.replace("/var/log/certless/*.log", log).replace(/systemctl .*/, `kill -USR1 ${proxy.pid}`);
    assert.notEqual(ours, example);
    writeFileSync(rules, ours, { mode: 0o644 });
    const clients: string[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const load = Array.from({ length: 20 }, async () => {
        const client = await sendFirst(t, proxy.endpoint, helloFor(HOST));
        client.finish();
        await client.untilEnd();
        clients.push(client.local.replace(/:\d+$/, ""));
      });
      await Promise.all(load);
      await until("a line to rotate", () => (existsSync(log) && readFileSync(log).length > 0 ? true : undefined));
      const { code, err } = await run("logrotate", ["--force", "--state", joinPath(directory, "state"), rules]);
      assert.equal(code, 0, err);
      await until("the new file", () => (existsSync(log) ? true : undefined));
    }
    assert.deepEqual(await proxy.stop(), { code: 0, signal: null });
    await run("sh", ["-c", `gunzip ${directory}/access.log.*.gz`]);
    const files = readdirSync(directory).filter((name) => name.startsWith("access.log"));
    const lines = files.flatMap((name) => readFileSync(joinPath(directory, name), "utf8").trim().split("\n"));
    assert.deepEqual(lines.filter(Boolean).sort(), clients.map((client) => `${client} ok`).sort());
  });
});
