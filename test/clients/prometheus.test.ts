/** A real Prometheus scrapes what a proxy says of itself, and answers questions about it. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { COMBINATIONS } from "../conformance/harness/combinations.ts";
import { helloFor } from "../conformance/harness/hello.ts";
import { temporaryDirectory } from "../conformance/harness/origin.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { type Scope, until } from "../conformance/harness/waiting.ts";
import { freeEndpoint, needsPrograms, startServer } from "./tools.ts";

const CLIENTS = 5;
const TOKEN = "not-to-be-guessed";

test("Prometheus scrapes it", needsPrograms("prometheus"), async (t) => {
  const token = join(temporaryDirectory(t), "token");
  writeFileSync(token, `${TOKEN}\n`);
  const proxy = await startProxy(t, COMBINATIONS.at(-1)!, {
    config: {
      listeners: [{ address: "127.0.0.1:0" }],
      routes: { "shop.example.test": "reject" },
      workers: 2,
      admin: { address: "127.0.0.1:0", token: { file: token } },
    },
  });
  const [, target = ""] = await proxy.waitForStderr(/^certless: admin interface: (\S+)$/m);
  await Promise.all(Array.from({ length: CLIENTS }, () => say(proxy.port, helloFor("shop.example.test"))));
  const address = await startPrometheus(t, target);
  const ask = (query: string): Promise<Answer> =>
    get(`http://${address}/api/v1/query?query=${encodeURIComponent(query)}`);
  const value = async (query: string): Promise<number | undefined> => {
    const [first] = (await ask(query)).data.result;
    return first === undefined ? undefined : Number(first.value[1]);
  };
  await until("all of them", async () =>
    (await value("sum(certless_accepted_connections_total)")) === CLIENTS ? true : undefined,
  );
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

/** @returns where it answers. */
async function startPrometheus(scope: Scope, target: string): Promise<string> {
  const directory = temporaryDirectory(scope);
  const config = join(directory, "prometheus.yml");
  const jobs = [
    {
      job_name: "certless",
      scrape_interval: "1s",
      scrape_timeout: "1s",
      authorization: { credentials: TOKEN },
      static_configs: [{ targets: [target] }],
    },
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
