/**
 * Asks a running proxy by its admin interface.
 *
 * Owns: where that is (the configuration says, or the command line), the token, and failures in words. What it answers is
 * as hostile as the wire that it comes from: whoever prints it escapes it.
 */

import { parseEndpoint } from "../address.ts";
import type { ErrorAnswer } from "../admin/api.ts";
import type { AdminConfig } from "../config/admin_options.ts";
import { adminPlace } from "../config/admin_place.ts";
import type { IoError } from "../errors.ts";
import type { HttpQuestion } from "../http_service.ts";
import { escapeText } from "../log/escape.ts";
import { loadToken } from "../secrets.ts";
import { StartError } from "../start_error.ts";
import { type CliContext, CliError, type CommandArgs, type CommandOption } from "./command.ts";
import { DEFAULT_FILE, load } from "./load.ts";

/** Options of every command that asks. */
export const ADMIN_OPTIONS: Readonly<Record<string, CommandOption>> = {
  admin: {
    type: "string",
    value: "ADDRESS",
    help: "its admin interface: http://HOST:PORT or unix:/PATH (default: as FILE says)",
  },
  "token-file": {
    type: "string",
    value: "PATH",
    help: "file whose one line is the token (else CERTLESS_ADMIN_TOKEN, or as FILE says)",
  },
};

/** The same paragraph in each one's help. */
export const ADMIN_HELP = `The proxy is found by the admin option of FILE (certless.yaml if none is named), or by --admin. Exit
code 2: it cannot be asked.`;

/** Milliseconds; a reload of a very large file takes its time. */
const PATIENCE = 120_000;

export interface Answered {
  readonly status: number;
  /** What it said, read as JSON. */
  readonly body: unknown;
}

type Server = HttpQuestion["server"];

export class AdminClient {
  readonly #context: CliContext;
  readonly #server: Server;
  readonly #token: string | undefined;

  constructor(context: CliContext, server: Server, token: string | undefined) {
    this.#context = context;
    this.#server = server;
    this.#token = token;
  }

  /** @param path under `/api/v1/`, with its query. @throws {CliError} where there is no answer, or it is a refusal. */
  async get<Answer>(path: string): Promise<Answer> {
    const { status, body } = await this.#ask("GET", path, undefined);
    if (status !== 200) throw new CliError(refusalText(status, body));
    return body as Answer;
  }

  /** @throws {CliError} where there is no answer, or it is a refusal that is no outcome. */
  async post(path: string, body: unknown): Promise<Answered> {
    const answered = await this.#ask("POST", path, JSON.stringify(body));
    if (answered.status !== 200 && answered.status !== 422) {
      throw new CliError(refusalText(answered.status, answered.body));
    }
    return answered;
  }

  async #ask(method: "GET" | "POST", path: string, body: string | undefined): Promise<Answered> {
    const headers = {
      Host: "localhost",
      ...hostOf(this.#server),
      ...(this.#token !== undefined && { Authorization: `Bearer ${this.#token}` }),
      ...(body !== undefined && { "Content-Type": "application/json", "X-Certless-Admin": "1" }),
    };
    const target = `/api/v1/${path}`;
    const question = { server: this.#server, method, target, headers, body, timeout: PATIENCE };
    try {
      const answer = await this.#context.host.requestHttp(question);
      return { status: answer.status, body: readJson(answer.body) };
    } catch (error) {
      if (error instanceof CliError) throw error;
      const { code, message } = error as IoError;
      const reason = FAILURES[code] ?? message;
      throw new CliError(`Cannot ask the proxy at ${serverText(this.#server)}: ${reason}`);
    }
  }
}

const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there; is it running?",
  ENOENT: "there is no such socket; is it running?",
  EACCES: "permission denied: the socket is for the proxy's own user",
};

function hostOf(server: Server): Readonly<Record<string, string>> {
  if ("path" in server) return {};
  return { Host: `${server.host.includes(":") ? `[${server.host}]` : server.host}:${server.port}` };
}

function serverText(server: Server): string {
  return "path" in server ? `unix:${server.path}` : (hostOf(server).Host as string);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError("Cannot ask the proxy: what answers there is no admin interface of certless");
  }
}

function refusalText(status: number, body: unknown): string {
  const { message } = (body ?? {}) as Partial<ErrorAnswer>;
  return typeof message === "string" ? escapeText(message) : `Cannot ask the proxy: it answered with status ${status}`;
}

/** Finds the proxy that a command line means. @throws {CliError} */
export async function adminClient(
  context: CliContext,
  { values }: CommandArgs,
  file: string | undefined,
): Promise<AdminClient> {
  const given = values.admin;
  const admin = given === undefined ? await configuredAdmin(context, file) : undefined;
  const server = given === undefined ? serverOf(admin as AdminConfig) : readServer(String(given));
  return new AdminClient(context, server, await tokenOf(context, values, admin));
}

async function configuredAdmin(context: CliContext, named: string | undefined): Promise<AdminConfig> {
  const { host } = context;
  const path = named ?? DEFAULT_FILE;
  const text = await host.readTextFile(path).catch(() => "");
  const own = adminPlace(text, path, (name) => host.domainToAscii(name));
  const admin = own ?? (await load(context, named)).config.admin;
  if (admin !== undefined) return admin;
  const remedy = "add admin: { address: 127.0.0.1:9443 } to it, or name the interface with --admin";
  throw new CliError(`Cannot ask the proxy: ${path} has no admin interface; ${remedy}`);
}

function serverOf({ endpoint }: AdminConfig): Server {
  if (endpoint.kind === "unix") return { path: endpoint.path };
  if (endpoint.port === 0) {
    throw new CliError("Cannot ask the proxy: its admin interface has a port that only it knows; name it with --admin");
  }
  return { host: ANY[endpoint.ip] ?? endpoint.ip, port: endpoint.port };
}

/** Who listens everywhere is asked here. */
const ANY: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

function readServer(given: string): Server {
  const endpoint = parseEndpoint(given.replace(/^http:\/\/([^/]+)\/?$/, "$1"));
  if (endpoint?.kind === "unix") return { path: endpoint.path };
  if (endpoint !== undefined) return { host: endpoint.ip, port: endpoint.port };
  const named = /^http:\/\/([A-Za-z0-9.-]+):([0-9]{1,5})\/?$/.exec(given);
  if (named !== null && Number(named[2]) <= 65_535) return { host: named[1] as string, port: Number(named[2]) };
  throw new CliError(`Cannot use --admin ${JSON.stringify(given)}: it must be http://HOST:PORT or unix:/PATH`);
}

async function tokenOf(
  { host }: CliContext,
  values: CommandArgs["values"],
  admin: AdminConfig | undefined,
): Promise<string | undefined> {
  const file = values["token-file"];
  const environment = { kind: "env", name: "CERTLESS_ADMIN_TOKEN" } as const;
  const given = host.env[environment.name] === undefined ? admin?.token : environment;
  const source = file === undefined ? given : ({ kind: "file", path: String(file) } as const);
  try {
    return source && (await loadToken(source, host));
  } catch (error) {
    if (error instanceof StartError) throw new CliError(error.message);
    throw error;
  }
}
