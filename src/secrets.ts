/**
 * Reads the passwords that a configuration names, once, at startup.
 *
 * Owns: where they come from, and that no message holds one.
 */

import type { Config, SecretSource } from "./config/config.ts";
import { type Secrets, secretKey, viasOf } from "./config/secrets.ts";
import { readPassword } from "./config/via_options.ts";
import type { IoError } from "./errors.ts";
import type { Host } from "./host.ts";
import { StartError } from "./start_error.ts";

/** @returns all of them by `secretKey`. @throws {StartError} as the rejection. */
export async function loadSecrets(config: Config, host: Pick<Host, "env" | "readTextFile">): Promise<Secrets> {
  const secrets: Record<string, string> = {};
  const faults: string[] = [];
  for (const [{ password: source }, place] of viasOf(config)) {
    if (source === undefined || Object.hasOwn(secrets, secretKey(source))) continue;
    const read = await readSecret(source, host);
    if ("password" in read) secrets[secretKey(source)] = read.password;
    else faults.push(`Cannot read the password of ${place} from ${sourceText(source)}: ${read.error}`);
  }
  if (faults.length > 0) throw new StartError(faults.join("\n"));
  return secrets;
}

/** Reads the token of the admin interface. @throws {StartError} as the rejection. */
export async function loadToken(source: SecretSource, host: Pick<Host, "env" | "readTextFile">): Promise<string> {
  const read = await readSecret(source, host);
  const error = "error" in read ? read.error : NO_TOKEN.test(read.password) ? "it must have no blanks" : undefined;
  if (error === undefined && "password" in read) return read.password;
  throw new StartError(`Cannot read the token of admin from ${sourceText(source)}: ${error}`);
}

/** RFC 6750 §2.1: what could not be sent. */
const NO_TOKEN = /[^\x21-\x7e]/;

type Read = ReturnType<typeof readPassword>;

async function readSecret(source: SecretSource, host: Pick<Host, "env" | "readTextFile">): Promise<Read> {
  if (source.kind === "env") {
    const value = host.env[source.name];
    return value === undefined ? { error: "it is not set" } : readPassword(value);
  }
  try {
    return readPassword(await host.readTextFile(source.path));
  } catch (error) {
    const { code } = error as IoError;
    return { error: code === "ENOENT" ? "there is no such file" : code };
  }
}

function sourceText(source: SecretSource): string {
  return source.kind === "file" ? `the file ${JSON.stringify(source.path)}` : `the environment variable ${source.name}`;
}
