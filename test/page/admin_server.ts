/**
 * An admin interface that answers with the sample, for the page alone.
 *
 * Owns: the files under their headers, and answers of the agreed shapes. What a real one refuses is tested there.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ConnectionAnswer, LogLine } from "../../src/admin/api.ts";
import { PAGE_HEADERS, pageFile } from "../../src/admin/page/page.ts";
import type { Scope } from "../conformance/harness/waiting.ts";
import * as sample from "./sample.ts";

/** What a test changes while the page looks on. */
export interface SampleState {
  isWell: boolean;
  connections: ConnectionAnswer[];
  log: LogLine[];
  token: string | undefined;
  /** The path of an answer that this proxy does not have. */
  missing: string | undefined;
  /** What was done, as `path body`. */
  readonly actions: string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface AdminServer {
  readonly url: string;
  readonly state: SampleState;
  /** Ends it, as if the proxy were gone. */
  stop(): Promise<void>;
  /** On the same port again. */
  restart(): Promise<void>;
}

type Answer = readonly [status: number, body: unknown];

function matches(connection: ConnectionAnswer, query: URLSearchParams): boolean {
  const has = (name: string, value: string | undefined): boolean => (value ?? "").includes(query.get(name) ?? "");
  const { serverName, client, route, upstream, server, listener } = connection;
  const pairs = { name: serverName, client, route, upstream, server, listener };
  return Object.entries(pairs).every(([name, value]) => has(name, value));
}

function read(path: string, query: URLSearchParams, state: SampleState): Answer {
  const now = state.now();
  const [offset, limit] = [Number(query.get("offset") ?? 0), Number(query.get("limit") ?? 100)];
  const has = (text: string | undefined, name: string): boolean => (text ?? "").includes(query.get(name) ?? "");
  const answers: Readonly<Record<string, () => unknown>> = {
    status: () => sample.sampleStatus(now, state.isWell, state.connections.length),
    history: () => sample.sampleHistory(now),
    names: () => sample.sampleNames(),
    upstreams: () => ({ upstreams: sample.sampleUpstreams(now, state.isWell) }),
    routes: () => {
      const routes = sample.sampleRoutes().filter(({ route, to }) => has(route, "query") || has(to, "query"));
      return { total: routes.length, routes: routes.slice(offset, offset + limit) };
    },
    route: () => ({ name: query.get("name"), listeners: [explanation(query.get("name") ?? "")] }),
    connections: () => {
      const found = state.connections.filter((connection) => matches(connection, query));
      return { total: found.length, connections: found.slice(offset, offset + limit) };
    },
    log: () => ({
      lines: state.log.filter((line) => has(line.reason, "reason") && has(line.serverName, "name")).slice(0, limit),
    }),
    configuration: () => ({
      ...sample.sampleStatus(now, state.isWell, 0).configuration,
      text: "listeners:\n  - address: 0.0.0.0:443\nworkers: 4\n",
    }),
  };
  if (path === state.missing)
    return [501, { code: "not_here", message: `Cannot tell ${path}: this proxy has no means to` }];
  const answer = answers[path];
  return answer === undefined ? [404, { code: "not_found", message: `Cannot find ${path}` }] : [200, answer()];
}

function explanation(name: string) {
  const lines = [
    `rule  ${name}  (exact, certless.yaml:7)`,
    "to    upstream payments, least_conn",
    "      203.0.113.7:443 first",
  ];
  return { listener: "0.0.0.0:443", protocol: "tls", isForwarded: true, lines };
}

async function act(request: IncomingMessage, path: string, state: SampleState): Promise<Answer> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  if (request.headers["x-certless-admin"] !== "1" || request.headers["content-type"] !== "application/json") {
    return [403, { code: "forbidden", message: "Cannot do this: X-Certless-Admin is missing" }];
  }
  state.actions.push(`${path} ${body}`);
  if (path === "close")
    state.connections = state.connections.filter(({ id }) => id !== (JSON.parse(body) as { id: number }).id);
  if (path !== "reload") return [200, { done: `${path}: done` }];
  const outcome = sample.sampleStatus(state.now(), state.isWell, 0).configuration.lastReload;
  return [outcome?.ok === true ? 200 : 422, outcome];
}

async function answer(request: IncomingMessage, response: ServerResponse, state: SampleState): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://page");
  const file = pageFile(pathname);
  for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value);
  if (file !== undefined) {
    response.setHeader("Content-Type", file.type);
    response.end(file.body);
    return;
  }
  const path = pathname.replace("/api/v1/", "");
  const isLocked = state.token !== undefined && request.headers.authorization !== `Bearer ${state.token}`;
  const locked: Answer = [401, { code: "unauthorized", message: "Cannot answer: the token is missing or wrong" }];
  const isAction = request.method === "POST";
  const [status, body] = isLocked
    ? locked
    : isAction
      ? await act(request, path, state)
      : read(path, searchParams, state);
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}

/** @param total live connections. */
export async function startAdminServer(
  scope: Scope,
  total: number,
  now: () => number = Date.now,
): Promise<AdminServer> {
  const state: SampleState = {
    isWell: true,
    connections: sample.sampleConnections(total, now()),
    log: sample.sampleLog(now()),
    token: undefined,
    missing: undefined,
    actions: [],
    now,
  };
  const server = createServer((request, response) => void answer(request, response, state));
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await ended;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  scope.after(stop);
  return { url: `http://127.0.0.1:${port}/`, state, stop, restart: () => listen(port) };
}
