/** IPv4, IPv6 and `unix:`, on both sides. */

import assert from "node:assert/strict";
import { chmodSync, existsSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join as joinPath } from "node:path";
import { describe, test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { join } from "./harness/connection.ts";
import { hasIpv6, startOrigin, temporaryDirectory } from "./harness/origin.ts";
import { launch, startProxy } from "./harness/proxy.ts";

const HOST = "address.example.test";
const ipv6 = { skip: (await hasIpv6()) ? false : "no IPv6 loopback here" };

forEachCombination((combination) => {
  for (const [listen, connect, client] of [
    ["127.0.0.1:0", "127.0.0.1", /^127\.1\.\d+\.\d+:\d+$/],
    ["0.0.0.0:0", "127.0.0.1", /^127\.1\.\d+\.\d+:\d+$/],
    ["[::1]:0", "[::1]", /^\[::1\]:\d+$/],
    ["[::]:0", "[::1]", /^\[::1\]:\d+$/],
    // One client has one name in the log, whatever socket it came through.
    ["[::]:0", "127.0.0.1", /^127\.1\.\d+\.\d+:\d+$/],
    ["unix", "unix", /^unix:$/],
  ] as const) {
    for (const server of ["127.0.0.1:0", "[::1]:0", "unix"] as const) {
      const needs = `${listen}${server}`.includes(":") && /\[/.test(listen + server) ? ipv6 : {};
      test(`from ${connect} through ${listen} to ${server}`, needs, async (t) => {
        const directory = temporaryDirectory(t);
        const origin = await startOrigin(t, { address: server === "unix" ? `unix:${directory}/o.sock` : server });
        const proxy = await startProxy(t, combination, {
          config: {
            listeners: [{ address: listen === "unix" ? `unix:${directory}/p.sock` : listen }],
            routes: { [HOST]: origin.address },
          },
        });
        const endpoint = connect === "unix" ? proxy.endpoint : `${connect}:${proxy.port}`;
        const { client: peer, server: end, hello } = await join(t, proxy, origin, HOST, { endpoint });
        end.send("hello, client").finish();
        assert.equal(await peer.untilEnd(), "fin");
        assert.equal(peer.text, "hello, client");
        peer.send("and server").finish();
        assert.equal(await end.untilEnd(), "fin");
        assert.deepEqual(end.bytes, Buffer.concat([hello, Buffer.from("and server")]));
        const record = await proxy.waitForRecord(() => true, "of the only connection");
        assert.match(record.client, client);
        assert.equal(record.peer, undefined);
        assert.equal(record.listener, proxy.endpoint);
        assert.deepEqual(record.upstream, [origin.address]);
        assert.equal(record.reason, "ok");
      });
    }
  }

  describe("a unix: listener's file", () => {
    const config = (path: string): Record<string, unknown> => ({
      listeners: [{ address: `unix:${path}` }],
      routes: { default: "127.0.0.1:9" },
    });

    test("goes with the program", async (t) => {
      const path = joinPath(temporaryDirectory(t), "p.sock");
      const proxy = await startProxy(t, combination, { config: config(path) });
      assert.ok(statSync(path).isSocket());
      assert.deepEqual(await proxy.stop(), { code: 0, signal: null });
      assert.ok(!existsSync(path), "the file is still there");
    });

    test("that a killed program left behind is replaced", async (t) => {
      const path = joinPath(temporaryDirectory(t), "p.sock");
      const killed = await startProxy(t, combination, { config: config(path) });
      await killed.stop("SIGKILL");
      assert.ok(statSync(path).isSocket());
      const proxy = await startProxy(t, combination, { config: config(path) });
      assert.deepEqual(await proxy.stop(), { code: 0, signal: null });
    });

    test("of a living program is left alone", async (t) => {
      const path = joinPath(temporaryDirectory(t), "p.sock");
      const first = await startProxy(t, combination, { config: config(path) });
      const second = launch(t, combination, { config: config(path), mayFail: true });
      assert.equal((await second.waitForExit()).code, 2);
      assert.match(second.stderr, /^Cannot listen on unix:\S+: another program .*\n$/);
      const socket = net.connect({ path });
      await new Promise<void>((resolve, reject) => {
        socket.once("connect", () => resolve()).once("error", reject);
      });
      socket.destroy();
      assert.deepEqual(await first.stop(), { code: 0, signal: null });
    });

    test("that is no socket is left alone", async (t) => {
      const path = joinPath(temporaryDirectory(t), "notes.txt");
      writeFileSync(path, "precious");
      chmodSync(path, 0o600);
      const proxy = launch(t, combination, { config: config(path), mayFail: true });
      assert.equal((await proxy.waitForExit()).code, 2);
      assert.match(proxy.stderr, /^Cannot listen on unix:\S+: .*\n$/);
      assert.ok(statSync(path).isFile());
    });
  });

  test("a port that is taken: one line, exit code 2", async (t) => {
    const origin = await startOrigin(t);
    const proxy = launch(t, combination, {
      config: { listeners: [{ address: origin.address }], routes: { default: "127.0.0.1:1" } },
      mayFail: true,
    });
    assert.equal((await proxy.waitForExit()).code, 2);
    assert.match(proxy.stderr, /^Cannot listen on 127\.0\.0\.1:\d+: another program .*\n$/);
  });
});
