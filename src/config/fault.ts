/**
 * Faults of a configuration: collected with the path of the option, reported with its place in the file.
 *
 * Owns: `ConfigError`, its text, and the order. It must not know YAML: places come in through `Positions`.
 */

import { escapeInvisible, quote } from "./quote.ts";
import type { TakenPairs } from "./simple_lines.ts";

/** Keys and indexes from the root to an option. */
export type Path = readonly (string | number)[];

export type ConfigErrorCode =
  | "yaml_syntax"
  | "yaml_alias"
  | "yaml_documents"
  | "too_deep"
  | "empty"
  | "duplicate_key"
  | "unknown_key"
  | "missing_key"
  | "wrong_type"
  | "bad_value"
  | "bad_pattern"
  | "bad_destination"
  | "duplicate_route"
  | "duplicate_listener"
  | "open_proxy"
  | "conflict";

/** One fault: plain data, safe to print. */
export interface ConfigError {
  readonly code: ConfigErrorCode;
  /** The file, as it was named; empty if there is none. */
  readonly path: string;
  /** The option, such as `listeners[0].address`; empty for the file as a whole. */
  readonly at: string;
  /** 1-based; 0 if there is no file. */
  readonly line: number;
  /** 1-based, in UTF-16 units; 0 if there is no file. */
  readonly column: number;
  /** `Cannot <do> <thing>: <reason>`, one line. */
  readonly message: string;
}

export interface Place {
  readonly line: number;
  readonly column: number;
  /** Of an included file; undefined: the configuration's own. */
  readonly path?: string;
}

/** Where in a file an option stands. For what is not there, its nearest parent counts. */
export interface Positions {
  keyOf(path: Path): Place;
  valueOf(path: Path): Place;
  /** Further pairs of a map of the file, so simple that they were not parsed one by one. */
  takenFrom?(map: object): readonly TakenPairs[];
}

/** For a configuration that comes from no file. */
export const NOWHERE: Positions = {
  keyOf: () => ({ line: 0, column: 0 }),
  valueOf: () => ({ line: 0, column: 0 }),
};

/** A fault before its place is looked up. */
export interface Fault {
  readonly code: ConfigErrorCode;
  /** The option that is meant. */
  readonly at: Path;
  /** What to point at: a key, a value, or (for a key that is missing) the parent of `at`. */
  readonly on: "key" | "value" | "parent";
  readonly message: string;
}

/** `listeners[0].address`, `routes['*.a.com']`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z][A-Za-z0-9_]*$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${quote(step)}]`;
  }
  return text;
}

/** A scalar as it stands in a message, with a space before it; nothing for lists and maps. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return ` ${quote(value)}`;
  return typeof value === "number" || typeof value === "boolean" ? ` ${value}` : "";
}

function placeOf(fault: Fault, positions: Positions): Place {
  if (fault.on === "key") return positions.keyOf(fault.at);
  return fault.on === "value" ? positions.valueOf(fault.at) : positions.keyOf(fault.at.slice(0, -1));
}

/** In the order of the file `path`; those of included files follow, by their names. */
export function inOrder(errors: readonly ConfigError[], path: string): ConfigError[] {
  const key = (error: ConfigError): string => (error.path === path ? "" : error.path);
  return errors.toSorted(
    (a, b) => Number(key(a) > key(b)) - Number(key(a) < key(b)) || a.line - b.line || a.column - b.column,
  );
}

/** Faults as errors, in the order of the file. */
export function toErrors(faults: readonly Fault[], path: string, positions: Positions): ConfigError[] {
  const errors = faults.map((fault): ConfigError => {
    const { line, column, path: included } = placeOf(fault, positions);
    return { code: fault.code, path: included ?? path, at: formatPath(fault.at), line, column, message: fault.message };
  });
  return inOrder(errors, path);
}

/** `file:line:column: message`; what is not known is left out. */
export function formatConfigError(error: ConfigError): string {
  const place = error.line === 0 ? [] : [`${error.line}:${error.column}`];
  const head = [...(error.path === "" ? [] : [escapeInvisible(error.path)]), ...place].join(":");
  return head === "" ? error.message : `${head}: ${error.message}`;
}
