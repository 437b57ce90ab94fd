/**
 * Reads a configuration file, and those that it includes.
 *
 * Owns: which files a pattern means, and the failures of reading in words. It must not decide what becomes of faults.
 */

import type { Config } from "./config/config.ts";
import { nameMatcher } from "./config/include.ts";
import { type ConfigError, readConfig, type SourceText } from "./config/load.ts";
import type { IoError } from "./errors.ts";
import type { Host } from "./host.ts";

/** What was read: a configuration, its faults, or why it could not be read. It survives a message to another thread. */
export type ConfigFile =
  | (Files & { readonly config: Config; readonly path: string })
  | (Files & { readonly errors: readonly ConfigError[] })
  /** `Cannot read …`, and the system's code where it is the file itself. */
  | { readonly reason: string; readonly code: string };

interface Files {
  /** Every file of it, the included ones and the directories of patterns as well: what changes with it. */
  readonly files: readonly string[];
}

export type FileReader = Pick<Host, "readTextFile" | "listDirectory" | "domainToAscii">;

/** @param path `-` is standard input. */
export async function readConfigFile(host: FileReader, path: string): Promise<ConfigFile> {
  try {
    const reading = readConfig(await readText(host, path));
    const files = [path];
    const included: SourceText[] = [];
    for (const pattern of reading.includes) {
      for (const file of await filesOf(host, inDirectoryOf(path, pattern), files)) {
        if (files.includes(file)) continue;
        files.push(file);
        included.push(await readText(host, file));
      }
    }
    const loaded = reading.check(included, (name) => host.domainToAscii(name));
    return { ...loaded, path, files };
  } catch (error) {
    if (error instanceof ReadError) return { reason: error.reason, code: error.path === path ? error.code : "" };
    throw error;
  }
}

/** A file or directory that could not be read. */
class ReadError {
  readonly path: string;
  readonly code: string;
  readonly reason: string;

  constructor(path: string, { code, message }: IoError) {
    this.path = path;
    this.code = code;
    this.reason = `Cannot read ${path}: ${FAILURES[code] ?? message}`;
  }
}

async function readText(host: FileReader, path: string): Promise<SourceText> {
  try {
    return { path, text: await host.readTextFile(path) };
  } catch (error) {
    throw new ReadError(path, error as IoError);
  }
}

/** Relative paths start where the file is that names them. */
function inDirectoryOf(path: string, pattern: string): string {
  return pattern.startsWith("/") ? pattern : path.slice(0, path.lastIndexOf("/") + 1) + pattern;
}

/** The files that a pattern means, by name; none may match. @param watched where a directory is added that was looked at. */
async function filesOf(host: FileReader, pattern: string, watched: string[]): Promise<string[]> {
  const slash = pattern.lastIndexOf("/");
  const [directory, last] = [pattern.slice(0, Math.max(slash, 0)), pattern.slice(slash + 1)];
  if (!/[*?]/.test(last)) return [pattern];
  const place = slash < 0 ? "." : slash === 0 ? "/" : directory;
  let names: string[];
  try {
    names = await host.listDirectory(place);
  } catch (error) {
    const { code } = error as IoError;
    throw new ReadError(
      place,
      code === "ENOENT" ? { code: "", message: "there is no such directory" } : (error as IoError),
    );
  }
  watched.push(place);
  const prefix = slash < 0 ? "" : `${directory}/`;
  return names
    .filter(nameMatcher(last))
    .sort()
    .map((name) => prefix + name);
}

const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  ENOTDIR: "it is no directory",
};
