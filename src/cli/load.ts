/**
 * Reads the configuration that a command works on.
 *
 * Owns: which file is meant, and how its faults are shown: every one, then a count, and exit code 2.
 */

import type { Config } from "../config/config.ts";
import { formatConfigError, loadConfig } from "../config/load.ts";
import type { IoError } from "../errors.ts";
import { type CliContext, CliError } from "./command.ts";

/** The file that is read when none is named. */
export const DEFAULT_FILE = "certless.yaml";

export interface LoadedConfig {
  readonly config: Config;
  readonly path: string;
  readonly text: string;
}

/** @throws {CliError} when there is no such file, or it has faults. */
export async function load(context: CliContext, named: string | undefined): Promise<LoadedConfig> {
  const path = named ?? DEFAULT_FILE;
  const text = await read(context, path, named !== undefined);
  const loaded = loadConfig(text, { path, toAscii: (name) => context.host.domainToAscii(name) });
  if ("config" in loaded) return { config: loaded.config, path, text };
  const { errors } = loaded;
  const count = errors.length === 1 ? "1 fault" : `${errors.length} faults`;
  throw new CliError(`${errors.map(formatConfigError).join("\n")}\n${count} in ${path}`);
}

async function read(context: CliContext, path: string, named: boolean): Promise<string> {
  try {
    return await context.host.readTextFile(path);
  } catch (error) {
    const { code, message } = error as IoError;
    if (code === "ENOENT" && !named) {
      throw new CliError(
        `Cannot find ${DEFAULT_FILE} in this directory: name a file (certless run FILE), or try \`certless demo\``,
      );
    }
    throw new CliError(`Cannot read ${path}: ${readFailure(code) ?? message}`);
  }
}

function readFailure(code: string): string | undefined {
  const reasons: Record<string, string> = {
    ENOENT: "there is no such file",
    EACCES: "permission denied",
    EISDIR: "it is a directory",
  };
  return reasons[code];
}
