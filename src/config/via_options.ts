/**
 * `via`: the proxy that leads on to servers, and where its password comes from.
 *
 * Owns: the grammar of its URL, and that no password stands in the configuration, which many may read and which every
 * message may quote. It must not read files or the environment: `secrets.ts` at the top does, once, at startup.
 */

import * as z from "zod";
import { formatEndpoint } from "../address.ts";
import type { ToAscii } from "../hostname.ts";
import type { SecretSource, ViaConfig } from "./config.ts";
import { parseTarget, type Refusal } from "./destination.ts";
import { map } from "./option_kinds.ts";

const EXPECTED = "a proxy such as socks5://10.0.0.9:1080 or http://proxy.internal:3128";
const PASSWORD =
  "a password does not belong in the configuration; write via: { url: …, passwordFile: /path } or { url: …, passwordEnv: NAME }";
/** RFC 1929 §2. */
const MAX_BYTES = 255;
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

type ViaUrl = Omit<ViaConfig, "password">;

/** Reads `socks5://[user@]host:port`; `socks5h` is another name for it, and `http` is CONNECT. No reason quotes the text. */
export function parseVia(text: string, toAscii: ToAscii): ViaUrl | Refusal {
  const found = /^(socks5h?|http):\/\/(?:(.*)@)?([^/?#@]+)\/?$/s.exec(text);
  if (found === null) return { error: /^https:/i.test(text) ? NO_TLS : `it must be ${EXPECTED}` };
  const protocol = found[1] === "http" ? "http" : "socks5";
  const username = found[2] === undefined ? undefined : readUsername(found[2], protocol);
  if (typeof username === "object") return username;
  const target = parseTarget(found[3]!, toAscii);
  if ("error" in target) return { error: `the proxy's address: ${target.error}` };
  if (target.kind === "unix") return { error: `it must be ${EXPECTED}` };
  const { port } = target;
  return port === undefined
    ? { error: "the proxy's port is missing" }
    : { protocol, target: { ...target, port }, username };
}

const NO_TLS = "TLS to the proxy is not spoken here; it must be http:// or socks5://";

function readUsername(encoded: string, protocol: "http" | "socks5"): string | Refusal {
  if (encoded.includes(":")) return { error: PASSWORD };
  const username = decoded(encoded);
  if (username === undefined || username === "" || UNPRINTABLE.test(username)) {
    return { error: "the user name must be printable, and percent-encoded where it has special characters" };
  }
  // RFC 7617 §2.
  if (protocol === "http" && username.includes(":")) return { error: "an HTTP user name has no colon" };
  return utf8Length(username) > MAX_BYTES ? { error: "the user name is longer than 255 bytes" } : username;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function utf8Length(text: string): number {
  return encodeURIComponent(text).replace(/%../g, "x").length;
}

/** What a file or a variable gave, as a password; or why it is none. */
export function readPassword(content: string): { readonly password: string } | Refusal {
  const password = content.replace(/\r?\n$/, "");
  if (password === "") return { error: "it is empty" };
  if (UNPRINTABLE.test(password)) return { error: "it must be one line, without control characters" };
  return utf8Length(password) > MAX_BYTES ? { error: "it is longer than 255 bytes" } : { password };
}

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function buildVia(toAscii: ToAscii) {
  const url = z
    .string({ error: `it must be ${EXPECTED}` })
    .meta({ title: "proxy URL", description: "`socks5://[user@]host:port` or `http://[user@]host:port` (CONNECT)." })
    .transform((value, context): ViaUrl => {
      const result = parseVia(value, toAscii);
      if (!("error" in result)) return result;
      // An input that is shown nowhere: there may be a password in it.
      context.issues.push({ code: "custom", message: result.error, input: [] });
      return z.NEVER;
    });
  const long = map({
    url,
    passwordFile: z
      .string({ error: "it must be the path of a file" })
      .min(1, { error: "it must be the path of a file" })
      .optional()
      .meta({ title: "path", description: "File whose one line is the user's password; read at startup." }),
    passwordEnv: z
      .string({ error: "it must be the name of an environment variable" })
      .regex(ENVIRONMENT_NAME, { error: "it must be the name of an environment variable" })
      .optional()
      .meta({ title: "name", description: "Environment variable that holds the user's password." }),
  })
    .refine(({ passwordFile, passwordEnv }) => passwordFile === undefined || passwordEnv === undefined, {
      error: "it must have passwordFile or passwordEnv, not both",
    })
    .refine(({ url: { username }, ...secrets }) => username !== undefined || passwordOf(secrets) === undefined, {
      error: "there is a password, and no user name in the url; write socks5://user@host:port",
    })
    .transform(({ url: parsed, ...secrets }): ViaConfig => ({ ...parsed, password: passwordOf(secrets) }));
  const short = url.transform((parsed): ViaConfig => ({ ...parsed, password: undefined }));
  return z.union([short, long], { error: `it must be ${EXPECTED}, or a map with url` });
}

interface Secrets {
  readonly passwordFile?: string | undefined;
  readonly passwordEnv?: string | undefined;
}

function passwordOf({ passwordFile, passwordEnv }: Secrets): SecretSource | undefined {
  if (passwordFile !== undefined) return { kind: "file", path: passwordFile };
  return passwordEnv === undefined ? undefined : { kind: "env", name: passwordEnv };
}

/** A proxy in words: nothing of its credentials. */
export function viaText({ protocol, target }: ViaConfig): string {
  const { port } = target;
  const address =
    target.kind === "ip" ? formatEndpoint({ kind: "tcp", ip: target.ip, port }) : `${target.name}:${port}`;
  return `${protocol}://${address}`;
}
