/**
 * Debian's programs as clients and servers of the tests.
 *
 * Owns: finding them, running one to its end, and an nginx with certificates of an authority made on the spot.
 * What is not installed is skipped by name; `.ci/run` installs all of it.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { type Authority, createAuthority } from "../../adapters/demo/certificates.ts";
import { temporaryDirectory } from "../conformance/harness/origin.ts";
import { connectOptions } from "../conformance/harness/peer.ts";
import { type Scope, until } from "../conformance/harness/waiting.ts";

export const SHOP = "shop.example.test";
export const API = "api.example.test";

/** Test options: skipped where a program is not installed. */
export function needsPrograms(...names: string[]): { skip: string | false } {
  const missing = names.filter((name) => !installed(name));
  return { skip: missing.length === 0 ? false : `not installed: ${missing.join(", ")}` };
}

function installed(name: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v "$1"`, "sh", name], { env: systemEnvironment(), stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** The tests' own PATH begins with the project's runtimes; system programs are looked for behind them. */
function systemEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
}

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs; here if absent. */
  readonly cwd?: string;
  /** Milliseconds until it is killed; 30,000 if absent. */
  readonly timeout?: number;
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...systemEnvironment(), ...options.env },
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      timeout: options.timeout ?? 30_000,
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}

/** Runs a program that has to succeed. @returns what it printed. */
export async function succeed(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, out, err } = await run(program, args, options);
  assert.equal(code, 0, `${program} ${args.join(" ")}\n${err}${out}`);
  return out;
}

/** Files of an authority and of its server certificates. */
export interface Certificates {
  readonly directory: string;
  readonly caPath: string;
  readonly ca: string;
  /** Writes a server certificate; `[certificate path, key path]`. */
  server(name: string): readonly [string, string];
}

export function makeCertificates(scope: Scope): Certificates {
  const directory = temporaryDirectory(scope);
  const authority: Authority = createAuthority("certless test CA");
  const caPath = join(directory, "ca.pem");
  writeFileSync(caPath, authority.certificate);
  return {
    directory,
    caPath,
    ca: authority.certificate,
    server(name) {
      const { certificate, key } = authority.leaf(name);
      const paths = [join(directory, `${name}.pem`), join(directory, `${name}.key`)] as const;
      writeFileSync(paths[0], certificate);
      writeFileSync(paths[1], key);
      return paths;
    },
  };
}

/** An endpoint of this machine that no other process uses: `127.77.x.y:port`, for programs that take no port 0. */
export async function freeEndpoint(): Promise<{ readonly host: string; readonly port: number }> {
  const host = `127.77.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}`;
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen({ host, port: 0 }, resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return { host, port };
}

/** Starts a server program in the foreground and waits until each of its sockets answers: a path, or `IP:port`. */
export async function startServer(
  scope: Scope,
  program: string,
  args: readonly string[],
  sockets: readonly string[],
): Promise<void> {
  const child = spawn(program, args, { env: systemEnvironment(), stdio: ["ignore", "ignore", "pipe"] });
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  scope.after(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  for (const path of sockets) {
    await until(
      () => `${program} on ${path}: ${err}`,
      async () => (await answers(path)) || undefined,
    );
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path.startsWith("/") ? { path } : connectOptions(path), () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

export interface Nginx {
  /** `unix:` endpoints: TLS for shop and api, TLS behind a PROXY header, and plain HTTP. */
  readonly shop: string;
  readonly api: string;
  readonly proxied: string;
  readonly plain: string;
}

/** A real origin: each server says who it is, under which name and protocol it was asked, and what it was sent. */
export async function startNginx(scope: Scope, certificates: Certificates): Promise<Nginx> {
  const directory = temporaryDirectory(scope);
  const path = (name: string): string => join(directory, name);
  const paths = {
    shop: path("shop.sock"),
    api: path("api.sock"),
    proxied: path("proxied.sock"),
    plain: path("plain.sock"),
  };
  const configuration = path("nginx.conf");
  writeFileSync(configuration, nginxConfiguration(certificates, paths, directory));
  await startServer(
    scope,
    "nginx",
    ["-c", configuration, "-p", directory, "-e", path("error.log")],
    Object.values(paths),
  );
  const endpoint = (socket: string): string => `unix:${socket}`;
  return {
    shop: endpoint(paths.shop),
    api: endpoint(paths.api),
    proxied: endpoint(paths.proxied),
    plain: endpoint(paths.plain),
  };
}

function nginxConfiguration(certificates: Certificates, paths: Nginx, directory: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join(" ");
  const tls = (name: string, socket: string, options = "", answer = ""): string => {
    const [certificate, key] = certificates.server(name);
    return `server {
  listen unix:${socket} ssl http2 ${options};
  ssl_certificate ${certificate}; ssl_certificate_key ${key}; ssl_protocols TLSv1.2 TLSv1.3;
  location / { default_type text/html; return 200 "<p>${name} as $ssl_server_name by $server_protocol ${answer}</p>\\n"; }
  location /upload { client_body_in_file_only clean; client_body_buffer_size 8k; proxy_pass http://unix:${paths.plain}; }
}`;
  };
  return `daemon off; user root; worker_processes 1; pid ${directory}/pid;
events { worker_connections 256; }
http {
access_log off; client_max_body_size 0; ${temporary}
${tls(SHOP, paths.shop)}
${tls(API, paths.api)}
${tls("proxied.example.test", paths.proxied, "proxy_protocol", "for $proxy_protocol_addr")}
server { listen unix:${paths.plain};
  location / { return 200 "$host $request_method $request_uri $http_connection $content_length\\n"; }
  location /upload { proxy_pass http://unix:${paths.plain}:/received; proxy_http_version 1.1; }
  location /received { return 200 "received $content_length\\n"; } }
}`;
}
