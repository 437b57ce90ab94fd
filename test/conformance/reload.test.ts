/** Another configuration, while clients are there: nobody is refused, nobody cut but by `onChange`, nobody led astray. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { test } from "node:test";
import { forEachCombination } from "./harness/combinations.ts";
import { join, sendFirst } from "./harness/connection.ts";
import { helloFor } from "./harness/hello.ts";
import { type Origin, startOrigin } from "./harness/origin.ts";
import { dial } from "./harness/peer.ts";
import { type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, until } from "./harness/waiting.ts";

const HOST = "reload.example.test";

type Config = Readonly<Record<string, unknown>>;

/** One listener, and `HOST` to `to`. */
function routed(to: unknown, more: Config = {}): Config {
  return { listeners: [{ address: "127.0.0.1:0" }], routes: { [HOST]: to }, ...more };
}

/** What a connection through the proxy is told, and by whom. */
async function served(t: Scope, proxy: RunningProxy, origin: Origin, host = HOST): Promise<void> {
  const { client, server } = await join(t, proxy, origin, host);
  server.send("welcome");
  await client.receiveText("welcome");
}

forEachCombination((combination) => {
  test("new routes count for new connections; open ones go on, and who has not spoken yet gets the new one", async (t) => {
    const [first, second] = [await startOrigin(t), await startOrigin(t)];
    const proxy = await startProxy(t, combination, { config: routed(first.address) });
    const { client, server } = await join(t, proxy, first, HOST);
    const silent = await dial(t, proxy.endpoint);
    const said = await proxy.reload(routed(second.address));
    assert.match(said, /^certless: reloaded in \d+ ms\ncertless: routes: 1 changed$/m);
    await served(t, proxy, second);
    silent.send(helloFor(HOST));
    await second.next();
    client.send("still here");
    await server.receiveText("still here");
    assert.equal(first.peers.length, 1);
  });

  test("a file with faults changes nothing, and each fault has its place", async (t) => {
    const origin = await startOrigin(t);
    const proxy = await startProxy(t, combination, { config: routed(origin.address) });
    const said = await proxy.reload("listeners:\n  - address: 127.0.0.1:0\nroutes:\n  a.test: nowhere\n  b.test: 7\n");
    assert.match(said, /the configuration in force stays: 2 faults\n/);
    await proxy.waitForStderr(/certless\.yaml:4:11: Cannot route 'a\.test' to 'nowhere'/);
    await proxy.waitForStderr(/certless\.yaml:5:11: /);
    await served(t, proxy, origin);
  });

  test("listeners come and go, and the others are not touched; a port that is taken changes nothing", async (t) => {
    const [origin, taken] = [await startOrigin(t), await startOrigin(t)];
    const proxy = await startProxy(t, combination, { config: routed(origin.address) });
    const busy = await proxy.reload({
      ...routed("127.0.0.1:1"),
      listeners: [{ address: "127.0.0.1:0" }, { address: taken.address }],
    });
    assert.match(busy, /the configuration in force stays: Cannot listen on 127\.0\.0\.1:\d+/);
    await served(t, proxy, origin);
    const path = joinPath(proxy.directory, "more.sock");
    const more = { ...routed(origin.address), listeners: [{ address: "127.0.0.1:0" }, { address: `unix:${path}` }] };
    assert.match(await proxy.reload(more), /listener unix:\S+ added/);
    const waiting = await dial(t, proxy.endpoint);
    const client = await dial(t, `unix:${path}`);
    client.send(helloFor(HOST));
    const server = await origin.next();
    assert.match(await proxy.reload(routed(origin.address)), /listener unix:\S+ removed/);
    await assert.rejects(dial(t, `unix:${path}`));
    client.send("over a listener that is gone");
    await server.receive(helloFor(HOST).length);
    await server.receiveText("over a listener that is gone");
    waiting.send(helloFor(HOST));
    await origin.next();
  });

  test("onChange: cut and drain end the connections of a route that goes, and the log says why; keep keeps them", async (t) => {
    const origin = await startOrigin(t);
    const to = (onChange: string) => ({ to: origin.address, onChange });
    const routes = {
      "cut.test": to("cut"),
      "drain.test": to("drain 300ms"),
      "keep.test": to("keep"),
      [HOST]: origin.address,
    };
    const proxy = await startProxy(t, combination, { config: { ...routed(""), routes } });
    const open = new Map<string, Awaited<ReturnType<typeof join>>>();
    for (const host of Object.keys(routes)) open.set(host, await join(t, proxy, origin, host));
    await proxy.reload(routed(origin.address));
    for (const host of ["cut.test", "drain.test"]) {
      const record = await proxy.recordOf(open.get(host)!.client);
      assert.deepEqual([record.reason, record.serverName], ["route_changed", host]);
    }
    for (const host of ["keep.test", HOST]) {
      const { client, server } = open.get(host)!;
      client.send("on and on");
      await server.receiveText("on and on");
    }
  });

  test("servers come and go; maxConnections counts connections from before, whoever waits gets a new server", async (t) => {
    const [first, second] = [await startOrigin(t), await startOrigin(t)];
    const pool = (...servers: unknown[]) =>
      routed("pool", {
        upstreams: { pool: { servers, queue: { size: 10, timeout: "10s" } } },
        limits: { handshakes: 50 },
      });
    const limited = { address: first.address, maxConnections: 1 };
    const proxy = await startProxy(t, combination, { config: pool(limited) });
    await join(t, proxy, first, HOST);
    const waiting = await sendFirst(t, proxy.endpoint, helloFor(HOST));
    await proxy.reload(pool({ ...limited, weight: 7 }));
    assert.equal(first.peers.length, 1, "it has its one connection still");
    await proxy.reload(pool({ ...limited, weight: 7 }, second.address));
    const server = await second.next();
    await server.receive(helloFor(HOST).length);
    server.send("your turn");
    await waiting.receiveText("your turn");
    assert.equal(first.peers.length, 1);
  });

  test("the log: its target and its form", async (t) => {
    const origin = await startOrigin(t);
    const proxy = await startProxy(t, combination, { config: routed(origin.address) });
    const path = joinPath(proxy.directory, "access.log");
    writeFileSync(path, "");
    const access = { path, format: "$ssl_preread_server_name and no more" };
    await proxy.reload(routed(origin.address, { log: { access } }));
    const { client, server } = await join(t, proxy, origin, HOST);
    client.finish();
    server.finish();
    await client.untilEnd();
    await until("the line", () => readFileSync(path, "utf8") === `${HOST} and no more\n` || undefined);
  });

  test("a secret that cannot be read keeps the former configuration", async (t) => {
    const origin = await startOrigin(t);
    const proxy = await startProxy(t, combination, { config: routed(origin.address) });
    const via = { url: "socks5://user@127.0.0.1:1", passwordEnv: "CERTLESS_NO_SUCH_VARIABLE" };
    const said = await proxy.reload(routed({ to: origin.address, via }));
    assert.match(said, /the configuration in force stays: Cannot read the password/);
    await served(t, proxy, origin);
  });

  test("watch: a file that has changed is reloaded", async (t) => {
    const [first, second] = [await startOrigin(t), await startOrigin(t)];
    const proxy = await startProxy(t, combination, { config: routed(first.address, { watch: true }) });
    proxy.rewrite(routed(second.address, { watch: true }));
    await proxy.waitForStderr(/^certless: reloaded in /m);
    await served(t, proxy, second);
    assert.equal(first.peers.length, 0);
  });

  test("include: a file that appears in a directory brings its routes, with watch by itself", async (t) => {
    const origin = await startOrigin(t);
    const config = routed("reject", { watch: true, include: "conf.d/*.yaml" });
    const proxy = await startProxy(t, combination, { config, files: { "conf.d/readme.txt": "not one of them" } });
    writeFileSync(joinPath(proxy.directory, "conf.d", "a.yaml"), `routes: { new.test: "${origin.address}" }\n`);
    await proxy.waitForStderr(/^certless: reloaded in .*\ncertless: routes: 1 added/m);
    await served(t, proxy, origin, "new.test");
    writeFileSync(joinPath(proxy.directory, "conf.d", "a.yaml"), `routes: { ${HOST}: direct }\n`);
    await proxy.waitForStderr(/conf\.d\/a\.yaml:1:11: Cannot use the key 'reload\.example\.test' in routes twice/);
    await served(t, proxy, origin, "new.test");
  });
});
