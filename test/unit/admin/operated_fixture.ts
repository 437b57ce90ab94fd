/** A proxy for the admin interface to look at, as a configuration says; what is done to it is kept. */

import assert from "node:assert/strict";
import { domainToASCII } from "node:url";
import type { ReloadOutcome } from "../../../src/admin/api.ts";
import { answerRequest, type HandlerSettings } from "../../../src/admin/handler.ts";
import type { Numbers } from "../../../src/admin/numbers.ts";
import type { OperatedProxy } from "../../../src/admin/operated_proxy.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { ServerStatus } from "../../../src/health/status.ts";
import type { HttpRequest, HttpResponse } from "../../../src/http_service.ts";
import type { WorkerQuestion } from "../../../src/workers/worker_question.ts";

export const YAML = `listeners:
  - address: 127.0.0.1:8443
  - { address: 127.0.0.1:8080, protocol: http, routes: { plain.example.test: 192.0.2.7 } }
routes:
  shop.example.test: pool
  "*.wild.example.test": direct
  closed.example.test: reject
upstreams:
  pool: { servers: ["192.0.2.1:443", "192.0.2.2:443"], balance: least_conn }
limits: { perClient: 10 }
admin: { address: 127.0.0.1:9443 }
`;

export const OUTCOME: ReloadOutcome = {
  ok: true,
  at: 1,
  duration: 2,
  changes: ["route a.example.test added"],
  errors: [],
  reason: "",
  warnings: [],
};

export function server(address: string, changes: Partial<ServerStatus> = {}): ServerStatus {
  return {
    address,
    health: "unknown",
    since: undefined,
    checkedAt: undefined,
    duration: undefined,
    connections: 0,
    error: undefined,
    service: "in",
    certificates: [],
    ...changes,
  };
}

export const NO_NUMBERS: Numbers = {
  prometheus: () => "certless_up 1\n",
  history: () => ({ interval: 10_000, samples: [] }),
  names: (limit) => ({
    names: [{ name: `limit ${limit}`, connections: 1, rejected: 0, received: 2, sent: 3 }],
    others: { connections: 0, rejected: 0, received: 0, sent: 0 },
  }),
  endings: () => [],
  route: () => ({ connections: 1, rejected: 0, received: 5, sent: 6 }),
  totals: () => ({
    connections: { open: 1, limit: 100, accepted: 9 },
    bytes: { received: 1, sent: 2 },
    memory: { resident: 1 },
    descriptors: { open: 3, limit: 1024 },
    listeners: [],
    workers: [{ worker: 1, open: 1, lag: 0 }],
  }),
};

export interface Fixture {
  readonly proxy: OperatedProxy;
  readonly questions: WorkerQuestion[];
  readonly done: string[];
}

/** @param yaml its configuration. @param changes members that are otherwise. */
export function operated(changes: Partial<OperatedProxy> = {}, yaml = YAML): Fixture {
  const loaded = loadConfig(yaml, { path: "certless.yaml", toAscii: domainToASCII });
  assert.ok("config" in loaded, JSON.stringify(loaded));
  const { config } = loaded;
  const questions: WorkerQuestion[] = [];
  const done: string[] = [];
  const proxy: OperatedProxy = {
    version: "9.9.9",
    runtime: "test 1.0",
    adapter: "simulated",
    startedAt: 1_000,
    now: 61_000,
    state: "running",
    config,
    configuration: { path: "certless.yaml", loadedAt: 1_000, reloads: 0, lastReload: undefined },
    endpoints: config.listeners.map(({ endpoint }) => endpoint),
    upstreams: [{ name: "pool", servers: [server("192.0.2.1:443", { connections: 2 }), server("192.0.2.2:443")] }],
    threads: [{ worker: 1, open: 0, lostAt: undefined }],
    openConnections: 3,
    connectionLimit: 100,
    counts: { ended: { ok: 5, no_route: 2 }, wouldReject: {} },
    droppedLines: 0,
    descriptorLimit: 1024,
    numbers: undefined,
    ask: async (question) => {
      questions.push(question);
      return [];
    },
    toAscii: domainToASCII,
    breathe: async () => {
      done.push("breathe");
    },
    after: () => () => {},
    reload: async () => OUTCOME,
    drain: () => void done.push("drain"),
    switchServer: (upstream, address, isIn) => {
      done.push(`${upstream} ${address} ${isIn}`);
      return address === "192.0.2.1:443";
    },
    ...changes,
  };
  return { proxy, questions, done };
}

export const SETTINGS: HandlerSettings = {
  endpoint: { kind: "tcp", ip: "127.0.0.1", port: 9443 },
  allowedHosts: ["proxy.example.test"],
  token: undefined,
  page: true,
};

export function request(
  target: string,
  changes: Partial<Omit<HttpRequest, "headers">> = {},
  fields: Readonly<Record<string, string>> = {},
): HttpRequest {
  return {
    method: "GET",
    target,
    body: "",
    headers: new Map(Object.entries({ host: "localhost:9443", ...fields })),
    ...changes,
  };
}

/** A POST as the commands and the page send it. */
export function post(target: string, body: unknown, fields: Readonly<Record<string, string>> = {}): HttpRequest {
  const own = { "content-type": "application/json", "x-certless-admin": "1" };
  return request(target, { method: "POST", body: JSON.stringify(body) }, { ...own, ...fields });
}

export interface Said {
  readonly status: number;
  readonly body: unknown;
  readonly response: HttpResponse;
}

export async function ask(
  what: HttpRequest,
  { proxy }: Fixture = operated(),
  settings: HandlerSettings = SETTINGS,
): Promise<Said> {
  const response = await answerRequest(what, proxy, settings);
  const type = response.headers.find(([name]) => name === "Content-Type")?.[1] ?? "";
  const body: unknown = type.startsWith("application/json") ? JSON.parse(response.body) : response.body;
  return { status: response.status, body, response };
}
