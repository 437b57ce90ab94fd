/** The admin interface: who looks at a running proxy sees what is, who acts is obeyed, and nobody else is. */

import assert from "node:assert/strict";
import { lstatSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join as joinPath } from "node:path";
import { test } from "node:test";
import { requestHttp } from "../../adapters/host/http_request.ts";
import type {
  ActionAnswer,
  ConnectionsAnswer,
  ErrorAnswer,
  ExplainAnswer,
  LogAnswer,
  ReloadOutcome,
  StatusAnswer,
  UpstreamsAnswer,
} from "../../src/admin/api.ts";
import { OPERATIONS } from "../../src/admin/operations.ts";
import { schemaFault } from "../../src/admin/schema_check.ts";
import { SCHEMAS } from "../../src/admin/schemas.ts";
import { type Ended, run } from "../packaging/program.ts";
import { commandOf, forEachCombination } from "./harness/combinations.ts";
import { join } from "./harness/connection.ts";
import { type Origin, startOrigin, temporaryDirectory } from "./harness/origin.ts";
import { dial } from "./harness/peer.ts";
import { type ProxyOptions, type RunningProxy, startProxy } from "./harness/proxy.ts";
import { type Scope, until } from "./harness/waiting.ts";

const HOST = "admin.example.test";

interface Answered<Body> {
  readonly status: number;
  readonly body: Body;
}

forEachCombination((combination) => {
  /** A proxy with an upstream of two servers, and how to ask it. */
  async function start(t: Scope, more: Readonly<Record<string, unknown>> = {}) {
    const origins = [await startOrigin(t), await startOrigin(t)] as const;
    const config = {
      listeners: [{ address: "127.0.0.1:0" }],
      routes: { [HOST]: "pool", "one.example.test": origins[0].address },
      upstreams: { pool: { servers: origins.map(({ address }) => address) } },
      admin: { address: "127.0.0.1:0" },
      ...more,
    };
    const proxy = await startProxy(t, combination, { config });
    return { proxy, origins, config, admin: await Admin.of(proxy) };
  }

  function certless(...args: string[]): Promise<Ended> {
    const [file, before] = commandOf(combination, "adapters/main.ts");
    return run(file, [...before, ...args]);
  }

  test("every answer is as it is described", async (t) => {
    const { proxy, origins, admin } = await start(t);
    await join(t, proxy, origins[0], "one.example.test");
    const refused = await dial(t, proxy.endpoint);
    refused.send("nonsense");
    await proxy.recordOf(refused);
    const description = await admin.get<{ readonly paths: object }>("/api/v1/openapi.json");
    for (const { method, path, answers, id } of OPERATIONS) {
      assert.ok(path in description.body.paths, path);
      if (method !== "GET") continue;
      const { status, body } = await admin.get(id === "route" ? `${path}?name=${HOST}` : path);
      const schema = answers[status];
      assert.ok(schema !== undefined, `${path}: ${status} ${JSON.stringify(body)}`);
      if (!schema.includes("/")) assert.equal(schemaFault(body, SCHEMAS[schema]!, SCHEMAS), undefined, path);
    }
    const { body } = await admin.get<StatusAnswer>("/api/v1/status");
    assert.deepEqual(
      [body.runtime.split(" ")[0], body.adapter, body.state],
      [combination.runtime, combination.adapter, "running"],
    );
    const [line] = (await admin.get<LogAnswer>("/api/v1/log?reason=not_tls")).body.lines;
    assert.equal(line?.client, refused.local);
  });

  test("open connections are told while they move bytes, and one is closed", async (t) => {
    const { proxy, origins, admin } = await start(t);
    const { client, server, hello } = await join(t, proxy, origins[0], "one.example.test");
    client.send("up");
    server.send("downward");
    await server.receiveText("up");
    await client.receiveText("downward");
    const silent = await dial(t, proxy.endpoint);
    const found = await until("both connections", async () => {
      const { body } = await admin.get<ConnectionsAnswer>("/api/v1/connections");
      return body.total === 2 ? body.connections : undefined;
    });
    assert.deepEqual(
      found.map(({ client: who }) => who),
      [silent.local, client.local],
    );
    const [, relayed] = found;
    assert.deepEqual(
      [relayed?.state, relayed?.serverName, relayed?.server, relayed?.received, relayed?.sent],
      ["relaying", "one.example.test", origins[0].address, hello.length + 2, 8],
    );
    const filtered = await admin.get<ConnectionsAnswer>("/api/v1/connections?name=one.example&limit=1");
    assert.deepEqual([filtered.body.total, filtered.body.connections[0]?.client], [1, client.local]);
    assert.equal((await admin.post("close", { id: relayed?.id })).status, 200);
    assert.equal((await proxy.recordOf(client)).reason, "operator_closed");
    assert.equal((await admin.post("close", { id: 999_999 })).status, 404);
  });

  test("a server is taken out for every worker, and in again", async (t) => {
    const { proxy, origins, admin } = await start(t, { workers: 2 });
    const [first, second] = origins;
    const { body } = await admin.post<ActionAnswer>("servers", {
      upstream: "pool",
      address: first.address,
      state: "down",
    });
    assert.match(body.done, /is out of service/);
    for (let i = 0; i < 6; i++) await join(t, proxy, second, HOST);
    assert.equal(first.peers.length, 0);
    const { upstreams } = (await admin.get<UpstreamsAnswer>("/api/v1/upstreams")).body;
    assert.deepEqual(
      upstreams[0]?.servers.map(({ service }) => service),
      ["disabled", "in"],
    );
    const finding = (await admin.get<StatusAnswer>("/api/v1/status")).body.findings[0];
    assert.match(finding?.what ?? "", /1 of 2 servers out of service/);
    await admin.post("servers", { upstream: "pool", address: first.address, state: "up" });
    await admin.post("servers", { upstream: "pool", address: second.address, state: "down" });
    await join(t, proxy, first, HOST);
    // Pages over both workers: each connection once, the newest first.
    const total = 7;
    const pages: number[] = [];
    for (let offset = 0; offset < total; offset += 2) {
      const page = (await admin.get<ConnectionsAnswer>(`/api/v1/connections?offset=${offset}&limit=2`)).body;
      assert.equal(page.total, total);
      pages.push(...page.connections.map(({ acceptedAt }) => acceptedAt));
    }
    assert.deepEqual(
      pages,
      [...pages].sort((a, b) => b - a),
    );
    assert.equal(pages.length, total);
  });

  test("a reload tells what has changed, or every fault and where; another admin address counts from then on", async (t) => {
    const { proxy, config, admin, origins } = await start(t);
    proxy.rewrite({ ...config, routes: { [HOST]: "nowhere" } });
    const refused = await admin.post<ReloadOutcome>("reload", {});
    assert.equal(refused.status, 422);
    assert.match(refused.body.errors[0]?.message ?? "", /no upstream has that name/);
    assert.equal((await admin.get<StatusAnswer>("/api/v1/status")).body.findings.length, 1);
    const path = joinPath(temporaryDirectory(t), "admin.sock");
    proxy.rewrite({ ...config, routes: { [HOST]: origins[1].address }, admin: { address: `unix:${path}` } });
    assert.equal((await admin.post<ReloadOutcome>("reload", {})).body.ok, true);
    assert.equal(lstatSync(path).mode & 0o777, 0o600);
    const moved = new Admin({ path });
    const { body } = await moved.get<ExplainAnswer>(`/api/v1/route?name=${HOST}`);
    assert.ok(body.listeners[0]?.lines.some((line) => line === `to: ${origins[1].address}`));
    await assert.rejects(admin.get("/healthz"), { code: "ECONNREFUSED" });
  });

  test("a reload brings it, with all numbers from then on, and takes it away", async (t) => {
    const origin = await startOrigin(t);
    const config = {
      listeners: [{ address: "127.0.0.1:0" }],
      routes: { [HOST]: "pool" },
      upstreams: { pool: { servers: [origin.address] } },
      workers: 2,
    };
    const proxy = await startProxy(t, combination, { config });
    const { client } = await join(t, proxy, origin, HOST);
    const path = joinPath(temporaryDirectory(t), "admin.sock");
    const admin = new Admin({ path });
    const asked = { ...config, admin: { address: `unix:${path}` } };
    assert.match(await proxy.reload(asked), /^certless: admin changed$/m);
    const numbers = async (...parts: readonly RegExp[]): Promise<string> =>
      await until(`${parts}`, async () => {
        const { status, body } = await admin.get<string>("/metrics");
        assert.equal(status, 200, body);
        return parts.every((part) => part.test(body)) ? body : undefined;
      });
    // What was open then is counted, and never goes below nothing.
    await numbers(/^certless_open_connections\{.*\} 1$/m, /^certless_accepted_connections_total\{.*\} 1$/m);
    await join(t, proxy, origin, HOST);
    client.reset();
    await numbers(
      /^certless_open_connections\{.*\} 1$/m,
      /^certless_accepted_connections_total\{.*\} 2$/m,
      /^certless_ended_connections_total\{.*\} 1$/m,
      /^certless_upstream_connections_total\{.*\} 1$/m,
    );
    for (const what of ["history", "names"]) assert.equal((await admin.get(`/api/v1/${what}`)).status, 200);
    assert.match(await proxy.reload(config), /^certless: admin changed$/m);
    await assert.rejects(admin.get("/healthz"), { code: "ENOENT" });
    await proxy.reload(asked);
    await numbers(/^certless_accepted_connections_total\{.*\} 2$/m);
  });

  test("draining is told, and comes to its end", async (t) => {
    const { proxy, origins, admin } = await start(t);
    const { client } = await join(t, proxy, origins[0], "one.example.test");
    assert.equal((await admin.post("drain", {})).status, 200);
    assert.equal((await admin.get("/healthz")).status, 503);
    client.reset();
    assert.deepEqual(await proxy.waitForExit(), { code: 0, signal: null });
  });

  test("commands ask it, by a token on a unix socket", async (t) => {
    const directory = temporaryDirectory(t);
    const token = joinPath(directory, "token");
    writeFileSync(token, "not-to-be-guessed\n");
    const address = `unix:${joinPath(directory, "admin.sock")}`;
    const { proxy } = await startWith(t, { address, token: { file: token } });
    const file = joinPath(proxy.directory, "certless.yaml");
    const status = await certless("status", file);
    assert.match(status.stdout, /all is well/, status.stderr);
    assert.equal(status.status, 0);
    const live = await certless("route", HOST, "--live", "--admin", address, "--token-file", token);
    assert.match(live.stdout, /^ {2}route: admin\.example\.test \(exact name/m, live.stderr);
    proxy.rewrite("listeners: [");
    const broken = await certless("reload", "--admin", address, "--token-file", token);
    assert.deepEqual([broken.status, broken.stdout], [2, ""]);
    assert.match(broken.stderr, /the configuration in force stays: .*\n.*certless\.yaml:1:/);
  });

  async function startWith(t: Scope, admin: object): Promise<{ proxy: RunningProxy; origin: Origin }> {
    const origin = await startOrigin(t);
    const config: ProxyOptions["config"] = {
      listeners: [{ address: "127.0.0.1:0" }],
      routes: { [HOST]: origin.address },
      admin,
    };
    return { proxy: await startProxy(t, combination, { config }), origin };
  }

  test("strangers and a crowd harm neither it nor the proxy", async (t) => {
    const { proxy, origins, admin } = await start(t);
    const wrong = await admin.ask("GET", "/api/v1/status", undefined, { Host: "evil.example.test" });
    assert.deepEqual([wrong.status, (wrong.body as ErrorAnswer).code], [403, "wrong_host"]);
    const foreign = await admin.ask("POST", "/api/v1/drain", {}, { Origin: "http://evil.example.test" });
    assert.deepEqual([foreign.status, (foreign.body as ErrorAnswer).code], [403, "foreign_origin"]);
    const crowd = Array.from({ length: 1_000 }, () => connect(admin.port, "127.0.0.1").on("error", () => {}));
    t.after(() => {
      for (const socket of crowd) socket.destroy();
    });
    const { client, server } = await join(t, proxy, origins[0], "one.example.test");
    server.send("welcome");
    await client.receiveText("welcome");
    assert.equal((await admin.get("/healthz")).status, 200);
    assert.equal(proxy.exit, undefined);
  });
});

/** Asks a proxy. */
class Admin {
  readonly #server: Parameters<typeof requestHttp>[0]["server"];

  constructor(server: Parameters<typeof requestHttp>[0]["server"]) {
    this.#server = server;
  }

  static async of(proxy: RunningProxy): Promise<Admin> {
    const [, port] = await proxy.waitForStderr(/^certless: admin interface: 127\.0\.0\.1:(\d+)$/m);
    return new Admin({ host: "127.0.0.1", port: Number(port) });
  }

  get port(): number {
    return "port" in this.#server ? this.#server.port : 0;
  }

  get<Body = unknown>(target: string): Promise<Answered<Body>> {
    return this.ask("GET", target, undefined);
  }

  post<Body = unknown>(action: string, body: unknown): Promise<Answered<Body>> {
    return this.ask("POST", `/api/v1/${action}`, body);
  }

  async ask<Body = unknown>(
    method: string,
    target: string,
    body: unknown,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Answered<Body>> {
    const own = { Host: "localhost", "Content-Type": "application/json", "X-Certless-Admin": "1" };
    const answer = await requestHttp({
      server: this.#server,
      method,
      target,
      headers: { ...own, ...fields },
      body: body === undefined ? undefined : JSON.stringify(body),
      timeout: 20_000,
    });
    return { status: answer.status, body: readBody(answer.body) as Body };
  }
}

/** Not everything is JSON. */
function readBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
