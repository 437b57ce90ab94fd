/**
 * The options of `admin:`, the interface for whoever operates the proxy.
 *
 * Owns: their names, grammar and descriptions, `AdminConfig`, and that nobody but this machine can ask without a token.
 */

import * as z from "zod";
import { canonicalIp, type Endpoint, formatEndpoint, parseEndpoint } from "../address.ts";
import { normalizeConfigName, type ToAscii } from "../hostname.ts";
import type { SecretSource } from "./config.ts";
import { BRACKETS, type Refusal } from "./destination.ts";
import type { Fault } from "./fault.ts";
import { bool, list, map, text } from "./option_kinds.ts";
import { quote } from "./quote.ts";

export interface AdminConfig {
  /** Port 0: any free one. */
  readonly endpoint: Endpoint;
  /** What every request has to show; there, unless only this machine can ask. */
  readonly token: SecretSource | undefined;
  /** Names and addresses by which it may be asked for, besides those of the loopback and its own. */
  readonly allowedHosts: readonly string[];
  /** It also serves a page for people. */
  readonly page: boolean;
}

function readAdminAddress(value: string): Endpoint | Refusal {
  const endpoint = parseEndpoint(value, { allowPortZero: true });
  if (endpoint !== undefined) return endpoint;
  const port = /^(?:localhost)?:?([0-9]{1,5})$/.exec(value)?.[1];
  if (port !== undefined) return { error: `write 127.0.0.1:${port}` };
  return { error: `it must be IP:port or unix:/path; ${BRACKETS}` };
}

const readHost =
  (toAscii: ToAscii) =>
  (value: string): string | Refusal =>
    canonicalIp(value.replace(/^\[(.*)\]$/, "$1")) ??
    normalizeConfigName(value, toAscii) ?? { error: "it must be a host name or an IP address, without a port" };

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

function buildToken() {
  const EXPECTED = "it must be a map with file or env, such as { file: /run/secrets/certless-admin }";
  return map({
    file: z
      .string({ error: "it must be the path of a file" })
      .min(1, { error: "it must be the path of a file" })
      .optional()
      .meta({ title: "path", description: "File whose one line is the token; read at startup and at each reload." }),
    env: z
      .string({ error: "it must be the name of an environment variable" })
      .regex(ENVIRONMENT_NAME, { error: "it must be the name of an environment variable" })
      .optional()
      .meta({ title: "name", description: "Environment variable that holds the token." }),
  })
    .refine(({ file, env }) => (file === undefined) !== (env === undefined), { error: EXPECTED })
    .transform(
      ({ file, env }): SecretSource =>
        file === undefined ? { kind: "env", name: env as string } : { kind: "file", path: file },
    );
}

export function buildAdmin(toAscii: ToAscii) {
  return map({
    address: text("IP:port or unix:/path, such as 127.0.0.1:9443", readAdminAddress, { title: "endpoint" }).meta({
      description:
        "Where to answer: `127.0.0.1:9443`, or `unix:/path` (mode 0600). Any other address than the loopback's needs `token`.",
    }),
    token: buildToken().optional().meta({
      description: "What every request must show, as `Authorization: Bearer TOKEN`; it does not stand here itself.",
    }),
    allowedHosts: list(
      text("a host name or an IP address", readHost(toAscii), { title: "host" }),
      "host names or IP addresses",
    )
      .prefault([])
      .meta({
        description: "Hosts by which it may be asked for, besides localhost and its own address (DNS rebinding).",
      }),
    page: bool().default(true).meta({ description: "Serve the page for people at `/`, too." }),
  })
    .transform(({ address: endpoint, ...options }): AdminConfig => ({ ...options, endpoint, token: options.token }))
    .optional();
}

/** Whether only this machine can reach it. */
export function isLocal(endpoint: Endpoint): boolean {
  return endpoint.kind === "unix" || endpoint.ip === "::1" || endpoint.ip.startsWith("127.");
}

export function checkAdmin(admin: AdminConfig | undefined, faults: Fault[]): void {
  if (admin === undefined || admin.token !== undefined || isLocal(admin.endpoint)) return;
  const remedy =
    "other machines could reach it, and it has no token; add token: { file: /path } or { env: NAME }, or use 127.0.0.1";
  const message = `Cannot use admin.address ${quote(formatEndpoint(admin.endpoint))}: ${remedy}`;
  faults.push({ code: "conflict", at: ["admin", "address"], on: "value", message });
}
