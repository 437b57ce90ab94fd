/**
 * Reads the configuration that a command works on.
 *
 * Owns: which file is meant, and how its faults are shown: every one, then a count, and exit code 2.
 */

import type { Config } from "../config/config.ts";
import { type ConfigError, formatConfigError } from "../config/load.ts";
import { readConfigFile } from "../config_file.ts";
import { type CliContext, CliError } from "./command.ts";

/** The file that is read when none is named. */
export const DEFAULT_FILE = "certless.yaml";

export interface LoadedConfig {
  readonly config: Config;
  readonly path: string;
  /** All of its files: what changes with it. */
  readonly files: readonly string[];
}

/** @throws {CliError} when there is no such file, or it has faults. */
export async function load(context: CliContext, named: string | undefined): Promise<LoadedConfig> {
  const path = named ?? DEFAULT_FILE;
  const read = await readConfigFile(context.host, path);
  if ("config" in read) return read;
  if ("reason" in read) {
    if (read.code === "ENOENT" && named === undefined) throw new CliError(NO_FILE);
    throw new CliError(read.reason);
  }
  throw new CliError(faultsText(read.errors, path));
}

/** Every fault, then a count. */
export function faultsText(errors: readonly ConfigError[], path: string): string {
  const count = errors.length === 1 ? "1 fault" : `${errors.length} faults`;
  return `${errors.map(formatConfigError).join("\n")}\n${count} in ${path}`;
}

const NO_FILE = `Cannot find ${DEFAULT_FILE} in this directory: name a file (certless run FILE), or try \`certless demo\``;
