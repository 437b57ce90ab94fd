/** One process takes over from another: on purpose only, and what is open goes on. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { test } from "node:test";
import { requestHttp } from "../../adapters/host/http_request.ts";
import type { StatusAnswer } from "../../src/admin/api.ts";
import { type Combination, forEachCombination } from "./harness/combinations.ts";
import { join, sendFirst } from "./harness/connection.ts";
import { gapOf } from "./harness/gaps.ts";
import { helloFor } from "./harness/hello.ts";
import { startOrigin, temporaryDirectory } from "./harness/origin.ts";
import { launch, startProxy } from "./harness/proxy.ts";
import { until } from "./harness/waiting.ts";

const HOST = "replaced.example.test";

forEachCombination((combination) => {
  const configOf = (address: string, server: string, workers = 1) => ({
    listeners: [{ address }],
    routes: { [HOST]: server },
    workers,
    timeouts: { drain: "20s" },
  });

  test("a second process by mistake fails, and harms nobody", async (t) => {
    const origin = await startOrigin(t);
    const proxy = await startProxy(t, combination, { config: configOf("127.0.0.1:0", origin.address) });
    const second = launch(t, combination, { config: configOf(proxy.endpoint, origin.address), mayFail: true });
    assert.equal((await second.waitForExit(30_000)).code, 2);
    assert.match(second.stderr, /another program \(or another certless\) listens there already/);
    await join(t, proxy, origin, HOST);
  });

  for (const [before, after] of [
    [1, 2],
    [2, 1],
  ] as const) {
    test(`${before} and then ${after} workers: the open connection goes on, new ones are the new process's`, async (t) => {
      const origin = await startOrigin(t);
      const first = await startProxy(t, combination, { config: configOf("127.0.0.1:0", origin.address, before) });
      const old = await join(t, first, origin, HOST);
      const second = await startProxy(t, combination, {
        config: configOf(first.endpoint, origin.address, after),
        args: ["--replace", String(first.pid)],
      });
      await second.waitForStderr(new RegExp(`process ${first.pid} is replaced, and drains\n`));
      await first.waitForStderr(/SIGTERM: no longer accepting, waiting up to 20 s for 1 connection\n/);
      // Where the port is shared, who comes to a socket in the moment of its end is lost: load/replace.test.ts sees to that.
      if (gapOf(combination, "adopts_sockets") !== undefined) {
        await until("the end of the former's sockets", () => listening(first.port) === after || undefined);
      }
      const fresh = await Promise.all(Array.from({ length: 8 }, () => sendFirst(t, second.endpoint, helloFor(HOST))));
      for (const _ of fresh) (await origin.next()).send("new").finish();
      for (const client of fresh) {
        await client.receiveText("new");
        client.finish();
        assert.equal((await second.recordOf(client)).reason, "ok");
      }
      old.server.send("old");
      await old.client.receiveText("old");
      old.server.finish();
      old.client.finish();
      assert.deepEqual(await first.waitForExit(), { code: 0, signal: null });
      assert.equal(first.log.recordsOf(old.client)[0]?.reason, "ok");
      assert.match(second.stderr, gapOf(combination, "adopts_sockets") === undefined ? /^/ : SHARES);
    });
  }

  test("the admin interface is the former's until that has ended, then the new one's", async (t) => {
    const origin = await startOrigin(t);
    const path = joinPath(temporaryDirectory(t), "admin.sock");
    const admin = { address: `unix:${path}` };
    const config = configOf("127.0.0.1:0", origin.address);
    const first = await startProxy(t, combination, { config: { ...config, admin } });
    const old = await join(t, first, origin, HOST);
    const next = { ...configOf(first.endpoint, origin.address), admin };
    const second = await startProxy(t, combination, { config: next, args: ["--replace", String(first.pid)] });
    await second.waitForStderr(/process \d+ is replaced, and drains\n/);
    await second.waitForStderr(/admin interface: unix:\S+, once the process that is replaced has ended\n/);
    await first.waitForStderr(/no longer accepting/);
    // What it says of itself is who answers.
    const draining = await statusAt(path);
    assert.equal(draining?.state, "draining");
    old.server.finish();
    old.client.finish();
    assert.deepEqual(await first.waitForExit(), { code: 0, signal: null });
    const answers = async (): Promise<StatusAnswer | undefined> => await statusAt(path).catch(() => undefined);
    let running = await answers();
    for (const end = Date.now() + 10_000; running === undefined && Date.now() < end; running = await answers()) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(running?.state, "running");
  });

  test("a process that does not listen there, or is none, is refused", async (t) => {
    const origin = await startOrigin(t);
    const refusal = await refusalOf(t, combination, configOf("127.0.0.1:0", origin.address), String(process.pid));
    assert.match(refusal, new RegExp(`^Cannot replace process ${process.pid}: it listens on no address of this`));
    const none = await refusalOf(t, combination, configOf("127.0.0.1:0", origin.address), "4194999");
    assert.match(none, /^Cannot replace process 4194999: there is no such process\n/);
  });
});

/** Sockets that listen at an IPv4 port. */
function listening(port: number): number {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, "0");
  const LISTEN = "0A";
  const lines = readFileSync("/proc/net/tcp", "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  return lines.filter(([, local, , state]) => local?.endsWith(`:${hexadecimal}`) && state === LISTEN).length;
}

async function statusAt(path: string): Promise<StatusAnswer> {
  const question = { method: "GET", target: "/api/v1/status", headers: {}, body: undefined, timeout: 5_000 };
  return JSON.parse((await requestHttp({ ...question, server: { path } })).body) as StatusAnswer;
}

const SHARES = /and this one share the ports: .*tcp_migrate_req/;

async function refusalOf(
  t: Parameters<typeof launch>[0],
  combination: Combination,
  config: Record<string, unknown>,
  pid: string,
): Promise<string> {
  const proxy = launch(t, combination, { config, args: ["--replace", pid], mayFail: true });
  assert.equal((await proxy.waitForExit(30_000)).code, 2);
  return proxy.stderr;
}
