/** The access log: one line for each connection, whatever became of it, and nothing in it that a client made up. */

import assert from "node:assert/strict";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join as joinPath } from "node:path";
import { before, describe, test } from "node:test";
import { type Combination, forEachCombination } from "./harness/combinations.ts";
import { join, sendFirst } from "./harness/connection.ts";
import { helloFor } from "./harness/hello.ts";
import { greet, type Origin, refusing, startOrigin, temporaryDirectory } from "./harness/origin.ts";
import { dial } from "./harness/peer.ts";
import { launch, type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, suiteScope, until } from "./harness/waiting.ts";

const HOST = "log.example.test";
const TIME = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z";
/** ALPN protocols are any bytes (RFC 7301 §3.1): an escape sequence, line breaks, a forged line, quotes, text of the right to left. */
const HOSTILE = ["\x1b[2J\x1b[31mred", 'a\r\n{"reason":"ok"}', '"\\', "\xe2\x80\xae", "\0", "$reason"];

/** A proxy that logs in one way to stdout, and an origin that greets. */
async function start(
  t: Scope,
  combination: Combination,
  access: unknown,
): Promise<{ origin: Origin; proxy: RunningProxy }> {
  const origin = await startOrigin(t, { accept: greet("hi") });
  const proxy = await startProxy(t, combination, {
    config: { listeners: [{ address: "127.0.0.1:0" }], routes: { [HOST]: origin.address }, log: { access } },
  });
  return { origin, proxy };
}

/** One connection from hello to both FINs. */
async function connectOnce(t: Scope, proxy: RunningProxy, alpn?: readonly string[]): Promise<string> {
  const client = await sendFirst(t, proxy.endpoint, helloFor(HOST, alpn === undefined ? {} : { alpn }));
  client.finish();
  await client.untilEnd();
  return client.local;
}

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
}

forEachCombination((combination) => {
  describe("in JSON", () => {
    const scope = suiteScope();
    let origin: Origin;
    let proxy: RunningProxy;
    let refused: string;

    before(async () => {
      origin = await startOrigin(scope);
      refused = await refusing(scope);
      proxy = await startProxy(scope, combination, {
        config: {
          listeners: [{ address: "127.0.0.1:0" }],
          routes: { "*.example.test": origin.address, "closed.test": refused, "no.test": "reject" },
          timeouts: { preread: "300ms" },
        },
      });
    });

    test("every field of a connection that went well", async (t) => {
      const began = Date.now();
      const client = await sendFirst(t, proxy.endpoint, helloFor("LOG.Example.TEST", { alpn: ["h2", "http/1.1"] }));
      const server = await origin.next();
      const received = client.socket.bytesWritten + 1000;
      client.send(Buffer.alloc(1000)).finish();
      server.send(Buffer.alloc(2345)).finish();
      await Promise.all([client.untilEnd(), server.untilEnd()]);
      const { time, duration, connectTime, ...rest } = await proxy.recordOf(client);
      const ended = Date.now();
      assert.match(time, new RegExp(`^${TIME}$`));
      assert.ok(Date.parse(time) >= began - 50 && Date.parse(time) <= ended + 50, time);
      assert.ok(duration > 0 && duration <= ended - began + 50, `${duration}`);
      assert.ok(connectTime !== undefined && connectTime >= 0 && connectTime <= duration, `${connectTime}`);
      assert.deepEqual(rest, {
        client: client.local,
        listener: proxy.endpoint,
        protocol: "tls",
        serverName: "log.example.test",
        alpn: ["h2", "http/1.1"],
        route: "*.example.test",
        upstream: [origin.address],
        bytesReceived: received,
        bytesSent: 2345,
        reason: "ok",
      });
    });

    test("each failure has one line, and one only", async (t) => {
      const failures: readonly (readonly [reason: string, bytes: Uint8Array | string, fin?: boolean])[] = [
        ["not_tls", "GET / HTTP/1.1\r\n\r\n"],
        ["malformed_hello", Buffer.from("1603010001ff", "hex")],
        ["no_server_name", helloFor(undefined)],
        ["no_route", helloFor("elsewhere.test")],
        ["rejected", helloFor("no.test")],
        ["connect_failed", helloFor("closed.test")],
        ["client_left", helloFor(HOST).subarray(0, 9), true],
        ["preread_timeout", helloFor(HOST).subarray(0, 9)],
        ["preread_timeout", ""],
      ];
      const already = proxy.log.lines.length;
      const clients = [];
      for (const [reason, bytes, fin] of failures) {
        const client = await dial(t, proxy.endpoint);
        client.send(bytes);
        if (fin) client.finish();
        clients.push({ client, reason, length: bytes.length });
      }
      for (const { client, reason, length } of clients) {
        await client.untilEnd();
        const record = await proxy.recordOf(client);
        assert.equal(record.reason, reason);
        assert.equal(record.bytesReceived, length);
        assert.equal(record.bytesSent, client.length);
        client.destroy();
      }
      // Anything that was said twice would stand in front of this one.
      const last = await join(t, proxy, origin, HOST);
      last.client.finish();
      last.server.finish();
      await proxy.recordOf(last.client);
      assert.equal(proxy.log.lines.length, already + failures.length + 1);
      for (const { client } of clients) assert.equal(proxy.log.recordsOf(client).length, 1);
    });

    test("what a client made up is escaped, and comes back as it was", async (t) => {
      const client = await sendFirst(t, proxy.endpoint, helloFor("elsewhere.test", { alpn: HOSTILE }));
      await client.untilEnd();
      const record = await proxy.recordOf(client);
      assert.deepEqual(record.alpn, HOSTILE);
      for (const line of proxy.log.lines) assert.match(line, /^[\x20-\x7e]*$/);
    });
  });

  test("in text, which is the default", async (t) => {
    const { origin, proxy } = await start(t, combination, { path: "stdout" });
    const client = await connectOnce(t, proxy, ["h2"]);
    const line = await proxy.waitForLine(client);
    const [host, address, listener] = [HOST, origin.address, proxy.endpoint].map((text) => text.replaceAll(".", "\\."));
    assert.match(
      line,
      new RegExp(
        `^${TIME} ${client.replaceAll(".", "\\.")} -> ${listener} tls ${host} alpn=h2 route=${host} upstream=${address} ` +
          "connect=[\\d.]+ms in=\\d+ out=2 took=[\\d.]+ms ok$",
      ),
    );
    const rejected = await sendFirst(t, proxy.endpoint, "garbage");
    await rejected.untilEnd();
    assert.match(await proxy.waitForLine(rejected.local), / tls - in=7 out=0 took=[\d.]+ms not_tls "/);
  });

  test("in text, a client cannot write a line", async (t) => {
    const { proxy } = await start(t, combination, { path: "stdout", format: "text" });
    const client = await connectOnce(t, proxy, HOSTILE);
    await proxy.waitForLine(client);
    await proxy.stop();
    assert.equal(proxy.log.lines.length, 1);
    assert.match(proxy.log.lines[0] ?? "", /^[\x20-\x7e]*$/);
  });

  test("in a format of the user's own", async (t) => {
    const format =
      '$remote_addr:$remote_port "$ssl_preread_server_name" $ssl_preread_alpn_protocols $upstream_addr ${bytes_sent}b $host $reason';
    const { origin, proxy } = await start(t, combination, { path: "stdout", format });
    const first = await connectOnce(t, proxy, ["h2", "http/1.1"]);
    assert.equal(await proxy.waitForLine(first), `${first} "${HOST}" h2,http/1.1 ${origin.address} 2b - ok`);
    const second = await connectOnce(t, proxy, HOSTILE);
    await proxy.waitForLine(second);
    await proxy.stop();
    assert.equal(proxy.log.lines.length, 2);
    assert.match(proxy.log.lines[1] ?? "", /^[\x20-\x7e]*$/);
    assert.match(proxy.log.lines[1] ?? "", /\$reason/, "what a client wrote is not a variable");
  });

  test("to stderr", async (t) => {
    const { proxy } = await start(t, combination, { path: "stderr", format: "json" });
    const client = await connectOnce(t, proxy);
    await proxy.waitForStderr(new RegExp(`^\\{.*"client":"${client.replaceAll(".", "\\.")}".*"reason":"ok"\\}\n`, "m"));
    assert.deepEqual(proxy.log.lines, []);
  });

  test("nowhere", async (t) => {
    const { proxy } = await start(t, combination, false);
    assert.match(proxy.stderr, /certless: access log: off\n/);
    await connectOnce(t, proxy);
    await proxy.stop();
    assert.deepEqual(proxy.log.lines, []);
  });

  test("to a file, behind what stands there already", async (t) => {
    const file = joinPath(temporaryDirectory(t), "access.log");
    for (let turn = 1; turn <= 2; turn++) {
      const { proxy } = await start(t, combination, { path: file, format: "json" });
      const client = await connectOnce(t, proxy);
      await until("the line in the file", () => linesOf(file).find((line) => line.includes(client)));
      await proxy.stop();
      assert.equal(linesOf(file).length, turn);
    }
  });

  test("to a file, opened anew on SIGUSR1 and SIGHUP: no line is lost, and none comes twice", async (t) => {
    const directory = temporaryDirectory(t);
    const file = joinPath(directory, "access.log");
    const { proxy } = await start(t, combination, { path: file, format: "json" });
    const clients: string[] = [];
    const files = [file];
    for (let turn = 1; turn <= 3; turn++) {
      for (let index = 0; index < 50; index++) clients.push(await connectOnce(t, proxy));
      const rotated = joinPath(directory, `access.log.${turn}`);
      // As logrotate does it: while lines wait and connections come.
      const more = Promise.all(Array.from({ length: 50 }, () => connectOnce(t, proxy)));
      await until("the file", () => (existsSync(file) ? true : undefined));
      renameSync(file, rotated);
      proxy.notify(turn === 2 ? "SIGHUP" : "SIGUSR1");
      clients.push(...(await more));
      files.push(rotated);
      await until("the new file", () => (existsSync(file) ? true : undefined));
    }
    clients.push(await connectOnce(t, proxy));
    await proxy.stop();
    const last = linesOf(file);
    assert.ok(
      last.some((line) => line.includes(clients.at(-1) ?? "")),
      "the last line is not in the new file",
    );
    const logged = files.flatMap(linesOf).map((line) => (JSON.parse(line) as { client: string }).client);
    assert.deepEqual(logged.toSorted(), clients.toSorted());
  });

  test("to a file that cannot be opened: one line, exit code 2", async (t) => {
    const proxy = launch(t, combination, {
      config: {
        listeners: [{ address: "127.0.0.1:0" }],
        routes: { default: "127.0.0.1:9" },
        log: { access: { path: "/nowhere/access.log" } },
      },
      mayFail: true,
    });
    assert.equal((await proxy.waitForExit()).code, 2);
    assert.match(proxy.stderr, /^Cannot open the access log \/nowhere\/access\.log: .*\n$/);
  });

  test("lines that were written last are not lost at the end", async (t) => {
    const { proxy } = await start(t, combination, { path: "stdout", format: "json" });
    const clients = await Promise.all(Array.from({ length: 200 }, () => connectOnce(t, proxy)));
    await proxy.stop();
    assert.deepEqual(proxy.log.records.map((record) => record.client).toSorted(), clients.toSorted());
    assert.equal(proxy.log.partial, "");
  });
});
