/**
 * From the text of a configuration file, or an object, to a `Config`.
 *
 * Owns: the two entrances, and the promise that all faults come at once, in the order of the file. It must not read
 * files.
 */

import type { ToAscii } from "../hostname.ts";
import { checkConfig } from "./check.ts";
import type { Config } from "./config.ts";
import { type ConfigError, NOWHERE, toErrors } from "./fault.ts";
import { readYaml } from "./yaml_source.ts";

export { type ConfigError, formatConfigError } from "./fault.ts";

export interface LoadOptions {
  /** The file's name, for messages. */
  readonly path: string;
  readonly toAscii: ToAscii;
}

export type Loaded = { readonly config: Config } | { readonly errors: readonly ConfigError[] };

/** Reads a whole configuration file in YAML. Never throws. */
export function loadConfig(text: string, { path, toAscii }: LoadOptions): Loaded {
  const { value, positions, errors } = readYaml(text, path);
  if (value === null && errors.length === 0) {
    const message = "Cannot read the configuration: the file is empty; it needs listeners and routes";
    return { errors: [{ code: "empty", path, at: "", line: 1, column: 1, message }] };
  }
  // Of a file that could not be read as YAML, the rest would be guesswork.
  if (value === undefined) return { errors: inOrder(errors) };
  const checked = checkConfig(value, positions, toAscii);
  if ("config" in checked && errors.length === 0) return checked;
  const faults = "faults" in checked ? checked.faults : [];
  return { errors: inOrder([...errors, ...toErrors(faults, path, positions)]) };
}

function inOrder(errors: readonly ConfigError[]): ConfigError[] {
  return [...errors].sort((a, b) => a.line - b.line || a.column - b.column);
}

export interface ObjectOptions {
  readonly toAscii: ToAscii;
}

/** The same for an object with the keys of the file: `createProxy(config)`. Errors have no place. */
export function configFromObject(value: unknown, { toAscii }: ObjectOptions): Loaded {
  const checked = checkConfig(value, NOWHERE, toAscii);
  return "config" in checked ? checked : { errors: toErrors(checked.faults, "", NOWHERE) };
}
