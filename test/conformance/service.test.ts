/** As a service: readiness and signs of life for the service manager, and another user once the ports are open. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join as joinPath } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { join } from "./harness/connection.ts";
import { openNotifySocket } from "./harness/notify_socket.ts";
import { startOrigin, temporaryDirectory } from "./harness/origin.ts";
import { launch, type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, until } from "./harness/waiting.ts";

const HOST = "service.example.test";
/** Debian's: in every base system. */
const USER = "nobody";
const NUMBER = 65534;
/** Milliseconds: half of it passes between two signs of life. */
const WATCHDOG = 400;

const notRoot = process.getuid?.() === 0 ? false : "only root can become somebody else";

forEachCombination((combination) => {
  async function startService(t: Scope, name: string, workers: number) {
    const socket = await openNotifySocket(t, name);
    const origin = await startOrigin(t);
    const proxy = await startProxy(t, combination, {
      config: { listeners: [{ address: "127.0.0.1:0" }], routes: { [HOST]: origin.address }, workers },
      env: { NOTIFY_SOCKET: name, WATCHDOG_USEC: String(WATCHDOG * 1000) },
    });
    const told = (line: string): Promise<number> =>
      until(line, () => {
        const index = socket.messages().findIndex((message) => message.split("\n").includes(line));
        return index < 0 ? undefined : index;
      });
    const signs = (): number => socket.messages().filter((message) => message === "WATCHDOG=1").length;
    return { proxy, origin, told, signs, socket };
  }

  test("the service manager is told: ready, alive, stopping", async (t) => {
    const name = `@certless-${process.pid}-${combination.name}`;
    const { proxy, told, signs, socket } = await startService(t, name, 2);
    assert.equal(await told("READY=1"), 0);
    assert.match(socket.messages()[0] ?? "", new RegExp(`STATUS=serving on ${proxy.endpoint}`));
    await until("three signs of life", () => (signs() >= 3 ? true : undefined));
    assert.deepEqual(await proxy.stop(), { code: 0, signal: null });
    await told("STOPPING=1");
  });

  test("by a path, too", async (t) => {
    const { proxy, told } = await startService(t, joinPath(temporaryDirectory(t), "notify"), 1);
    await told("READY=1");
    await proxy.stop();
  });

  test("root is given up, in every thread, and log and sockets are the new user's", { skip: notRoot }, async (t) => {
    const origin = await startOrigin(t);
    const directory = temporaryDirectory(t);
    const [log, socket] = [joinPath(directory, "access.log"), joinPath(directory, "a.sock")];
    const proxy = await startProxy(t, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0" }, { address: `unix:${socket}` }],
        routes: { [HOST]: origin.address },
        user: USER,
        log: { access: { path: log } },
      },
    });
    assert.match(proxy.stderr, new RegExp(`worker, as ${USER}:${NUMBER}\n`));
    assert.deepEqual(identities(proxy), [`Uid:${` ${NUMBER}`.repeat(4)} Gid:${` ${NUMBER}`.repeat(4)}`]);
    for (const path of [log, socket]) assert.equal(statSync(path).uid, NUMBER);
    for (const endpoint of proxy.endpoints) {
      const { client, server } = await join(t, proxy, origin, HOST, { endpoint });
      server.send("here").finish();
      await client.receiveText("here");
      client.finish();
    }
    await until("two lines", () => (readFileSync(log, "utf8").split("\n").length === 3 ? true : undefined));
    await proxy.stop();
  });

  test("a user that does not exist is refused before anything is opened", { skip: notRoot }, async (t) => {
    const config = { listeners: [{ address: "127.0.0.1:0" }], routes: {}, user: "no-such-user" };
    const proxy = launch(t, combination, { config, mayFail: true });
    assert.equal((await proxy.waitForExit(30_000)).code, 2);
    assert.match(proxy.stderr, /^Cannot become the user no-such-user: there is no user no-such-user; create it/);
  });
});

/** Users and groups of all threads, each once; supplementary groups must be none but the own one. */
function identities({ pid }: RunningProxy): string[] {
  const found = readdirSync(`/proc/${pid}/task`).map((thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
    assert.match(status, new RegExp(`^Groups:\\s*(${NUMBER})?\\s*$`, "m"));
    assert.match(status, /^CapEff:\s*0+$/m);
    return [...status.matchAll(/^(?:Uid|Gid):.*$/gm)].map(([line]) => line.replaceAll("\t", " ")).join(" ");
  });
  return [...new Set(found)];
}
