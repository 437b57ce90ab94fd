/** A real Prometheus scrapes what a proxy says of itself, and answers questions about it. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { createHost } from "../../adapters/host.ts";
import { selectAdapter } from "../../adapters/select.ts";
import { PROMETHEUS_TYPE } from "../../src/metrics/exposition.ts";
import { createProxy } from "../../src/mod.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { temporaryDirectory } from "../conformance/harness/origin.ts";
import { type Scope, until } from "../conformance/harness/waiting.ts";
import { freeEndpoint, needsPrograms, startServer } from "./tools.ts";

const CLIENTS = 5;

test("Prometheus scrapes it", needsPrograms("prometheus"), async (t) => {
  const { adapter } = await selectAdapter("node");
  const proxy = await createProxy(
    { listeners: [{ address: "127.0.0.1:0" }], routes: { "shop.example.test": "reject" }, log: { access: false } },
    { adapter, host: createHost(), metrics: true },
  );
  t.after(() => proxy.stop());
  const { metrics } = proxy;
  assert.ok(metrics);
  const [endpoint] = proxy.endpoints;
  assert.ok(endpoint?.kind === "tcp");
  await Promise.all(Array.from({ length: CLIENTS }, () => say(endpoint.port, helloFor("shop.example.test"))));
  const target = await serve(t, () => metrics.prometheus());
  const address = await startPrometheus(t, target);
  const ask = (query: string): Promise<Answer> =>
    get(`http://${address}/api/v1/query?query=${encodeURIComponent(query)}`);
  const value = async (query: string): Promise<number | undefined> => {
    const [first] = (await ask(query)).data.result;
    return first === undefined ? undefined : Number(first.value[1]);
  };
  assert.equal(await until("a scrape", () => value("sum(certless_accepted_connections_total)")), CLIENTS);
  assert.equal(await value("up"), 1);
  assert.equal(await value('sum(certless_ended_connections_total{reason="rejected"})'), CLIENTS);
  assert.equal(await value('sum(certless_route_rejections_total{route="shop.example.test"})'), CLIENTS);
  assert.equal(await value("certless_session_seconds_count"), CLIENTS);
  const type: Answer<Readonly<Record<string, readonly { readonly type: string }[]>>> = await get(
    `http://${address}/api/v1/metadata?metric=certless_session_seconds`,
  );
  assert.equal(type.data.certless_session_seconds?.[0]?.type, "histogram");
});

interface Answer<Data = { readonly result: readonly { readonly value: readonly [number, string] }[] }> {
  readonly status: string;
  readonly data: Data;
}

async function get<Data>(url: string): Promise<Answer<Data>> {
  const answer = (await (await fetch(url)).json()) as Answer<Data>;
  assert.equal(answer.status, "success");
  return answer;
}

/** What `text` says, for whoever asks by HTTP. @returns where. */
async function serve(scope: Scope, text: () => string): Promise<string> {
  const server = http.createServer((_, response) => {
    response.setHeader("content-type", PROMETHEUS_TYPE);
    response.end(text());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

/** @returns where it answers. */
async function startPrometheus(scope: Scope, target: string): Promise<string> {
  const directory = temporaryDirectory(scope);
  const config = join(directory, "prometheus.yml");
  const jobs = [
    { job_name: "certless", scrape_interval: "1s", scrape_timeout: "1s", static_configs: [{ targets: [target] }] },
  ];
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ scrape_configs: jobs }));
  const { host, port } = await freeEndpoint();
  const address = `${host}:${port}`;
  const data = `--storage.tsdb.path=${join(directory, "data")}`;
  await startServer(
    scope,
    "prometheus",
    [`--config.file=${config}`, data, `--web.listen-address=${address}`],
    [address],
  );
  return address;
}

/** Says it, and waits for the end. */
function say(port: number, what: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(what));
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}
