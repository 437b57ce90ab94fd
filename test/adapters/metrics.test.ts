/** The numbers of a real proxy that has carried real connections: those of its log, and text that `promtool` takes. */

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import net from "node:net";
import process from "node:process";
import { test } from "node:test";
import tls from "node:tls";
import { createAuthority } from "../../adapters/demo/certificates.ts";
import { createHost } from "../../adapters/host.ts";
import { whyNoLinux } from "../../adapters/linux/open.ts";
import { runtimeName, selectAdapter } from "../../adapters/select.ts";
import { startThread } from "../../adapters/worker.ts";
import { type ConnectionRecord, createProxy, type RunningProxy } from "../../src/mod.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { until } from "../conformance/harness/waiting.ts";
import { readExposition, sumOf } from "../unit/metrics/metrics_fixture.ts";

const SHOP = "shop.example.test";
const noLinux = await whyNoLinux();
const WORKER = new URL("./plain_worker.ts", import.meta.url).href;
const ROUNDS = 8;
/** What proxies have said of themselves. */
const texts: string[] = [];

const SETUPS = [
  { name: runtimeName(), workers: 1, skip: false },
  { name: runtimeName(), workers: 2, skip: false },
  { name: "linux", workers: 2, skip: noLinux ?? false },
] as const;

for (const { name, workers, skip } of SETUPS) {
  test(`${name}, ${workers} workers: numbers agree with the records`, { skip }, async (t) => {
    const records: ConnectionRecord[] = [];
    const { certificate, key } = createAuthority("metrics test CA").leaf(SHOP);
    const origin = tls.createServer({ cert: certificate, key }, (socket) => socket.on("error", () => {}).pipe(socket));
    origin.on("tlsClientError", () => {});
    await listening(origin);
    t.after(() => origin.close());
    const address = `127.0.0.1:${(origin.address() as net.AddressInfo).port}`;
    const dead = await closedPort();
    const { adapter, workerAdapter } = await selectAdapter(name);
    const host = createHost({ startWorker: (events) => startThread(WORKER, events) });
    const proxy = await createProxy(
      {
        workers,
        listeners: [{ address: "127.0.0.1:0" }, { address: "127.0.0.1:0", protocol: "http" }],
        routes: { [SHOP]: "shop", "*.deny.test": { to: "shop", deny: ["0.0.0.0/0"] }, "dead.test": dead },
        upstreams: {
          shop: { servers: [address, dead], healthCheck: { type: "tls", interval: "5s", timeout: "5s" } },
        },
        log: { access: false },
      },
      {
        adapter,
        workerAdapter,
        host: { ...host, stderr: { isTerminal: false, write() {} } },
        metrics: true,
        finished: (record) => void records.push(record),
      },
    );
    t.after(() => proxy.stop());
    const { metrics } = proxy;
    assert.ok(metrics);
    const [tlsPort, httpPort] = proxy.endpoints.map((endpoint) => (endpoint.kind === "tcp" ? endpoint.port : 0));
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all([
        greet(tlsPort!, SHOP),
        say(tlsPort!, helloFor("nobody.test")),
        say(tlsPort!, helloFor("a.deny.test")),
        say(tlsPort!, helloFor("dead.test")),
        say(tlsPort!, "this is no TLS\n"),
        say(httpPort!, "GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n"),
      ]);
    }
    const expected = 6 * ROUNDS;
    await until("all records", () => records.length >= expected || undefined);
    await until("all numbers", () => ended(metrics) >= expected || undefined);
    await until("a check", () => proxy.upstreams[0]?.servers[0]?.checkedAt);
    assert.equal(records.length, expected);
    agree(proxy, records);
    assert.equal(sumOf(readExposition(metrics.prometheus()), "certless_upstream_up"), 1);
    texts.push(metrics.prometheus());
  });
}

test("promtool takes it", { skip: hasPromtool() ? false : "not installed: prometheus" }, async () => {
  assert.ok(texts.length > 1);
  for (const text of texts) assert.equal(await promtool(text), "");
});

test("bytes of an open connection count while it is open", async (t) => {
  const origin = net.createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(0, "127.0.0.1");
  t.after(() => origin.close());
  await new Promise((resolve) => origin.once("listening", resolve));
  const { adapter } = await selectAdapter(runtimeName());
  const to = `127.0.0.1:${(origin.address() as net.AddressInfo).port}`;
  const proxy = await createProxy(
    { listeners: [{ address: "127.0.0.1:0" }], routes: { [SHOP]: to }, log: { access: false } },
    { adapter, host: createHost(), metrics: true },
  );
  t.after(() => proxy.stop());
  const endpoint = proxy.endpoints[0];
  assert.ok(endpoint?.kind === "tcp");
  const hello = helloFor(SHOP);
  const client = net.connect(endpoint.port, "127.0.0.1", () => client.write(hello));
  t.after(() => client.destroy());
  client.on("error", () => {});
  const { metrics } = proxy;
  assert.ok(metrics);
  await until("bytes", () => metrics.totals().bytes.sent === hello.length || undefined);
  assert.deepEqual(metrics.totals().connections.open, 1);
  assert.equal(metrics.totals().listeners[0]?.open, 1);
  assert.deepEqual(metrics.names(5).names, [
    { name: SHOP, connections: 0, rejected: 0, received: hello.length, sent: hello.length },
  ]);
  client.end();
  await until("its end", () => metrics.endings()[0]?.count);
  assert.deepEqual(metrics.totals().bytes, { received: hello.length, sent: hello.length });
  assert.equal(metrics.totals().listeners[0]?.open, 0);
});

test("nothing but reason codes is counted where nobody asks", async (t) => {
  const { adapter } = await selectAdapter(runtimeName());
  const proxy = await createProxy(
    { listeners: [{ address: "127.0.0.1:0" }], routes: { default: "reject" }, log: { access: false } },
    { adapter, host: createHost() },
  );
  t.after(() => proxy.stop());
  assert.equal(proxy.metrics, undefined);
});

function ended(metrics: NonNullable<RunningProxy["metrics"]>): number {
  return metrics.endings().reduce((sum, { count }) => sum + count, 0);
}

function agree(proxy: RunningProxy, records: readonly ConnectionRecord[]): void {
  const samples = readExposition(proxy.metrics!.prometheus());
  const by = new Map<string, number>();
  const count = (key: string): void => void by.set(key, (by.get(key) ?? 0) + 1);
  for (const record of records) {
    count(`reason ${record.listener} ${record.reason}`);
    if (record.route !== undefined) count(`route ${record.listener} ${record.route}`);
  }
  for (const [key, expected] of by) {
    const [kind, listener = "", what = ""] = key.split(" ");
    const [name, label] =
      kind === "reason"
        ? (["certless_ended_connections_total", "reason"] as const)
        : (["certless_route_connections_total", "route"] as const);
    assert.equal(sumOf(samples, name, { listener, [label]: what }), expected, key);
  }
  const total = (of: (record: ConnectionRecord) => number): number =>
    records.reduce((sum, record) => sum + of(record), 0);
  assert.equal(sumOf(samples, "certless_accepted_connections_total"), records.length);
  assert.equal(sumOf(samples, "certless_ended_connections_total"), records.length);
  assert.equal(sumOf(samples, "certless_open_connections"), 0);
  assert.equal(
    sumOf(samples, "certless_received_bytes_total"),
    total(({ bytesReceived }) => bytesReceived),
  );
  assert.equal(
    sumOf(samples, "certless_sent_bytes_total"),
    total(({ bytesSent }) => bytesSent),
  );
  assert.equal(sumOf(samples, "certless_session_seconds_count"), records.length);
  const connected = records.filter(({ connectTime }) => connectTime !== undefined);
  assert.equal(sumOf(samples, "certless_connect_seconds_count"), connected.length);
  const shop = { upstream: "shop" };
  assert.equal(sumOf(samples, "certless_upstream_connections_total", shop), ROUNDS);
  const refused = records
    .filter(({ route }) => route === SHOP)
    .flatMap(({ attempts }) => attempts.filter(({ outcome }) => outcome === "ECONNREFUSED"));
  assert.equal(
    sumOf(samples, "certless_upstream_failures_total", { ...shop, outcome: "ECONNREFUSED" }),
    refused.length,
  );
  assert.equal(sumOf(samples, "certless_workers"), proxy.workers);
  assert.ok(sumOf(samples, "certless_resident_memory_bytes") > 1_000_000);
  if (process.platform === "linux") assert.ok(sumOf(samples, "certless_open_descriptors") > 3);
  assert.deepEqual(
    Object.fromEntries(proxy.metrics!.endings().map(({ reason, count: many }) => [reason, many])),
    proxy.counts.ended,
  );
}

/** A whole handshake through the proxy, and an echo. */
function greet(port: number, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: "127.0.0.1", servername: name, rejectUnauthorized: false }, () => {
      socket.write("hello");
    });
    socket.once("data", () => socket.end());
    socket.on("error", reject);
    socket.on("close", () => resolve());
  });
}

/** Says it, and waits for the end. */
function say(port: number, what: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(what));
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

function listening(server: net.Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
}

/** An address where nobody listens. */
async function closedPort(): Promise<string> {
  const server = net.createServer();
  await listening(server);
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

function hasPromtool(): boolean {
  try {
    execFileSync("promtool", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** What `promtool check metrics` has to say. */
function promtool(text: string): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile("promtool", ["check", "metrics"], (error, out, err) =>
      resolve(error === null ? out + err : `${error.message}${out}${err}`),
    );
    child.stdin?.end(text);
  });
}
