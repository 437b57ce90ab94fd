/**
 * From the text of a configuration file, or an object, to a `Config`.
 *
 * Owns: the two entrances, and the promise that all faults come at once, in the order of the file. It must not read
 * files.
 */

import type { ToAscii } from "../hostname.ts";
import { checkConfig } from "./check.ts";
import type { Config } from "./config.ts";
import { type ConfigError, inOrder, NOWHERE, toErrors } from "./fault.ts";
import { includesOf, mergeSources } from "./include.ts";
import { SimpleLines } from "./simple_lines.ts";
import { readYaml, type YamlSource } from "./yaml_source.ts";

export { type ConfigError, formatConfigError } from "./fault.ts";

export interface LoadOptions {
  /** The file's name, for messages. */
  readonly path: string;
  readonly toAscii: ToAscii;
}

export type Loaded = { readonly config: Config } | { readonly errors: readonly ConfigError[] };

/** A file's text, and its name for messages. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** A configuration file that was read, and may include others. */
export interface ConfigReading {
  /** What it includes: paths and patterns, as written. */
  readonly includes: readonly string[];
  /** Checks it, together with the files that it includes. */
  check(included: readonly SourceText[], toAscii: ToAscii): Loaded;
}

/** Reads a configuration file in YAML, but for what it includes. Never throws. */
export function readConfig({ text, path }: SourceText): ConfigReading {
  const main = readAtFirst({ text, path });
  return {
    includes: includesOf(main.source.value),
    check: (included, toAscii) => checkReadings([main, ...included.map(readAtFirst)], toAscii),
  };
}

/** A file as it was read, and the lines that were not to be left out, by number. */
interface FileReading extends SourceText {
  readonly doubts: ReadonlySet<number>;
  readonly source: YamlSource;
}

const NO_DOUBTS: ReadonlySet<number> = new Set();

function readAtFirst(file: SourceText): FileReading {
  return readWithout(file, NO_DOUBTS);
}

function readWithout({ text, path }: SourceText, doubts: ReadonlySet<number>): FileReading {
  return { text, path, doubts, source: readYaml(text, path, SimpleLines.find(text, doubts)) };
}

/** Times that lines are left out, and lines that may be faulty; then all is parsed. */
const MOST_TRIES = 4;
const MOST_DOUBTS = 1_000;

/** Where lines were left out of the parsing and may not be what they seem, it is done again with them. */
function checkReadings(first: readonly FileReading[], toAscii: ToAscii): Loaded {
  let readings = first;
  for (let tries = 1; ; tries++) {
    const [main, ...included] = readings as [FileReading, ...FileReading[]];
    const loaded = checkSource(mergeSources(main.source, included), main.path, toAscii);
    if (readings.every(isSettled)) return loaded;
    readings = readings.map((reading) => (isSettled(reading) ? reading : readAgain(reading, tries)));
  }
}

function isSettled({ source: { lines }, doubts }: FileReading): boolean {
  return lines === undefined || lines.isSettled(doubts.size);
}

function readAgain(reading: FileReading, tries: number): FileReading {
  const lines = reading.source.lines!;
  const found = lines.doubts.size;
  const mayStay = lines.canStay && found > reading.doubts.size && found <= MOST_DOUBTS && tries < MOST_TRIES;
  if (mayStay) return readWithout(reading, lines.doubts);
  const { text, path } = reading;
  return { text, path, doubts: NO_DOUBTS, source: readYaml(text, path) };
}

/** Reads a whole configuration file in YAML, which includes no other. Never throws. */
export function loadConfig(text: string, { path, toAscii }: LoadOptions): Loaded {
  return readConfig({ text, path }).check([], toAscii);
}

function checkSource({ value, positions, errors }: YamlSource, path: string, toAscii: ToAscii): Loaded {
  if (value === null && errors.length === 0) {
    const message = "Cannot read the configuration: the file is empty; it needs listeners and routes";
    return { errors: [{ code: "empty", path, at: "", line: 1, column: 1, message }] };
  }
  // Of a file that could not be read as YAML, the rest would be guesswork.
  if (value === undefined) return { errors: inOrder(errors, path) };
  const checked = checkConfig(value, positions, toAscii);
  if ("config" in checked && errors.length === 0) return checked;
  const faults = "faults" in checked ? checked.faults : [];
  return { errors: inOrder([...errors, ...toErrors(faults, path, positions)], path) };
}

export interface ObjectOptions {
  readonly toAscii: ToAscii;
}

/** The same for an object with the keys of the file: `createProxy(config)`. Errors have no place. */
export function configFromObject(value: unknown, { toAscii }: ObjectOptions): Loaded {
  const checked = checkConfig(value, NOWHERE, toAscii);
  if (includesOf(value).length > 0) {
    const message = "Cannot use include: the configuration is in no file; put its parts together in the program";
    const fault = { code: "conflict", at: ["include"], on: "key", message } as const;
    return { errors: toErrors([fault], "", NOWHERE) };
  }
  return "config" in checked ? checked : { errors: toErrors(checked.faults, "", NOWHERE) };
}
