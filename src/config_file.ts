/**
 * Reads a configuration file, and those that it includes.
 *
 * Owns: the reading and its failures in words. It must not decide what becomes of faults.
 */

import type { Config } from "./config/config.ts";
import { type ConfigError, loadConfig } from "./config/load.ts";
import type { IoError } from "./errors.ts";
import type { Host } from "./host.ts";

/** What was read: a configuration, its faults, or why it could not be read. */
export type ConfigFile =
  | { readonly config: Config; readonly text: string; readonly path: string }
  | { readonly errors: readonly ConfigError[] }
  /** `Cannot read …`, and the system's code. */
  | { readonly reason: string; readonly code: string };

/** @param path `-` is standard input. */
export async function readConfigFile(
  host: Pick<Host, "readTextFile" | "domainToAscii">,
  path: string,
): Promise<ConfigFile> {
  let text: string;
  try {
    text = await host.readTextFile(path);
  } catch (error) {
    const { code, message } = error as IoError;
    return { code, reason: `Cannot read ${path}: ${FAILURES[code] ?? message}` };
  }
  const loaded = loadConfig(text, { path, toAscii: (name) => host.domainToAscii(name) });
  return "config" in loaded ? { config: loaded.config, text, path } : loaded;
}

const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
};
