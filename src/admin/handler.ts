/**
 * Answers a request to the admin interface.
 *
 * Owns: the way from a request to its operation, and what every response says. It must be answered whatever is asked: what
 * an operation throws becomes an error in JSON. No path is ever looked up but in two maps.
 */

import type { HttpRequest, HttpResponse } from "../http_service.ts";
import type { ErrorAnswer } from "./api.ts";
import { checkAction, checkHost, checkOrigin, checkToken, type GuardSettings } from "./guard.ts";
import { describe } from "./openapi.ts";
import type { OperatedProxy } from "./operated_proxy.ts";
import { json, type Operation, type Reply } from "./operation.ts";
import { OPERATIONS, PREFIX } from "./operations.ts";
import { PAGE_HEADERS, pageFile } from "./page/page.ts";
import { Parameters } from "./parameters.ts";
import { Refused, shown } from "./refusal.ts";
import { schemaFault } from "./schema_check.ts";
import { SCHEMAS } from "./schemas.ts";

/** What may change with the configuration. */
export interface HandlerSettings extends GuardSettings {
  readonly page: boolean;
}

/** Milliseconds within which an answer has to be made, but for reloads. */
const PATIENCE = 20_000;

const DESCRIPTION: Operation = {
  method: "GET",
  path: `${PREFIX}openapi.json`,
  id: "openapi",
  summary: "This description.",
  answers: { 200: "application/json" },
  run: ({ version }) => json(describe([...OPERATIONS, DESCRIPTION], version)),
};

const PATHS = new Map<string, Operation[]>();
for (const operation of [...OPERATIONS, DESCRIPTION]) {
  PATHS.set(operation.path, [...(PATHS.get(operation.path) ?? []), operation]);
}

const SECURITY: HttpResponse["headers"] = [
  ["Cache-Control", "no-store"],
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "no-referrer"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["X-Frame-Options", "DENY"],
  ["Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"],
];

/** Never rejects. */
export async function answerRequest(
  request: HttpRequest,
  proxy: OperatedProxy,
  settings: HandlerSettings,
): Promise<HttpResponse> {
  try {
    return await respond(request, proxy, settings);
  } catch (error) {
    if (error instanceof Refused) return refuse(error.status, error.answer, error.headers);
    const message = `Cannot answer the request: ${error instanceof Error ? error.message : String(error)}`;
    return refuse(500, { code: "internal_error", message });
  }
}

/** For what did not even become a request. */
export function refusedRequest(status: number, reason: string): HttpResponse {
  return refuse(status, { code: "bad_request", message: `Cannot answer the request: ${reason}` });
}

async function respond(request: HttpRequest, proxy: OperatedProxy, settings: HandlerSettings): Promise<HttpResponse> {
  const { authority, path, query } = targetOf(request);
  checkHost(authority, settings);
  const asset = settings.page ? pageFile(path) : undefined;
  if (asset !== undefined) {
    checkMethod(request.method, ["GET"], path);
    // The page itself is no secret, and asks its reader for the token.
    return { status: 200, headers: [["Content-Type", asset.type], ...Object.entries(PAGE_HEADERS)], body: asset.body };
  }
  checkToken(request, settings);
  const operations = PATHS.get(path);
  if (operations === undefined)
    throw new Refused(404, "not_found", `Cannot find ${shown(path)}: see ${DESCRIPTION.path}`);
  const operation = checkMethod(
    request.method,
    operations.map(({ method }) => method),
    path,
  );
  checkOrigin(request, authority);
  const chosen = operations.find(({ method }) => method === operation) as Operation;
  const reply = await run(chosen, request, query, proxy);
  const { status, body, type } = reply;
  if (type !== undefined) return response(status, type, String(body));
  return response(status, JSON_TYPE, `${JSON.stringify(body)}\n`);
}

async function run(operation: Operation, request: HttpRequest, query: string, proxy: OperatedProxy): Promise<Reply> {
  const parameters = new Parameters(query, operation.parameters ?? []);
  const body = operation.body === undefined ? undefined : readBody(request, operation.body);
  const reply = Promise.resolve(operation.run(proxy, { parameters, body }));
  return operation.method === "POST" ? reply : inTime(reply, proxy);
}

function inTime(reply: Promise<Reply>, proxy: OperatedProxy): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const cancel = proxy.after(PATIENCE, () =>
      reject(new Refused(504, "too_slow", "Cannot answer the request: a worker has not answered in time")),
    );
    reply.then(resolve, reject).finally(cancel);
  });
}

function readBody(request: HttpRequest, schema: string): unknown {
  checkAction(request);
  let body: unknown;
  try {
    body = request.body === "" ? {} : JSON.parse(request.body);
  } catch {
    throw new Refused(400, "bad_request", "Cannot use the body: it is not JSON");
  }
  const fault = schemaFault(body, { $ref: `#/components/schemas/${schema}` }, SCHEMAS);
  if (fault !== undefined) throw new Refused(400, "bad_request", `Cannot use the body: ${fault}`);
  return body;
}

interface Target {
  /** What the request is for. */
  readonly authority: string;
  /** As sent: an encoded path is another path. */
  readonly path: string;
  readonly query: string;
}

/** Origin-form or absolute-form (RFC 9112 §3.2). @throws {Refused} */
function targetOf({ target, headers }: HttpRequest): Target {
  const absolute = /^http:\/\/([^/?#]*)(.*)$/i.exec(target);
  const [authority, rest] = absolute === null ? [headers.get("host") ?? "", target] : [absolute[1]!, absolute[2]!];
  const relative = absolute !== null && !rest.startsWith("/") ? `/${rest}` : rest;
  if (!/^\/[\x21-\x7e]*$/.test(relative) || relative.includes("#")) {
    throw new Refused(400, "bad_request", "Cannot answer the request: its target is no path");
  }
  const split = relative.indexOf("?");
  return split < 0
    ? { authority, path: relative, query: "" }
    : { authority, path: relative.slice(0, split), query: relative.slice(split + 1) };
}

/** The operation's method: HEAD is a GET whose body is not sent. @throws {Refused} */
function checkMethod(method: string, allowed: readonly Operation["method"][], path: string): Operation["method"] {
  const asked = method === "HEAD" ? "GET" : method;
  const found = allowed.find((one) => one === asked);
  if (found !== undefined) return found;
  const all = allowed.includes("GET") ? [...allowed, "HEAD"] : allowed;
  const message = `Cannot use this method on ${shown(path)}: it takes ${all.join(" and ")}`;
  throw new Refused(405, "wrong_method", message, [["Allow", all.join(", ")]]);
}

const JSON_TYPE = "application/json; charset=utf-8";

function refuse(status: number, answer: ErrorAnswer, more: HttpResponse["headers"] = []): HttpResponse {
  return response(status, JSON_TYPE, `${JSON.stringify(answer)}\n`, more);
}

function response(status: number, type: string, body: string, more: HttpResponse["headers"] = []): HttpResponse {
  return { status, headers: [["Content-Type", type], ...SECURITY, ...more], body };
}
