/**
 * YAML text as plain values, with the place of every key and value.
 *
 * Owns: all contact with the YAML library: syntax errors, duplicate keys, aliases, documents, depth. It must not know
 * any option. Text of any kind gives values or faults, never an exception. YAML 1.2, core schema, without merge keys.
 */

import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import type { ConfigError, ConfigErrorCode, Path, Place, Positions } from "./fault.ts";
import { formatPath } from "./fault.ts";
import { escapeInvisible, quote } from "./quote.ts";
import type { SimpleLines, TakenPairs } from "./simple_lines.ts";

/** No option lies deeper; what does is a mistake or an attack on the stack. */
const MAX_DEPTH = 32;
/** Values that aliases may stand for, all together. */
const MAX_ALIASED = 100_000;
/** Syntax errors that are told: after that many the file is something else. */
/** Characters of a library's message, which may quote half the file. */
const MAX_REASON = 200;
const MAX_SYNTAX = 20;

const TOO_DEEP = "Cannot read the YAML: it is nested too deeply";

export interface YamlSource {
  /** Maps have no prototype: any key is only a key. */
  readonly value: unknown;
  readonly positions: Positions;
  /** In no order. */
  readonly errors: readonly ConfigError[];
  /** Lines that were not parsed, where there are many. */
  readonly lines?: SimpleLines | undefined;
}

interface Anchored {
  readonly value: unknown;
  readonly node: unknown;
  /** How many values it holds, itself included. */
  readonly size: number;
}

type Document = ReturnType<typeof parseDocument>;

/** Parses the text of the file `path`; of `lines`, if there are some, what they have left of it. */
export function readYaml(whole: string, path: string, lines?: SimpleLines): YamlSource {
  const text = lines?.rest ?? whole;
  const counter = new LineCounter();
  const reader = new Reader(path, counter, lines);
  try {
    // The library's own search for duplicate keys is quadratic.
    const options = { lineCounter: counter, uniqueKeys: false, prettyErrors: false, resolveKnownTags: false } as const;
    return reader.read(parseDocument(text, { ...options, logLevel: "error" }));
  } catch (error) {
    // Too deep for the stack, or a fault in the library.
    if (error instanceof RangeError) return reader.fail("too_deep", TOO_DEEP);
    return reader.fail("yaml_syntax", `Cannot read the YAML: ${escapeInvisible(String(error))}`);
  }
}

class Reader implements Positions {
  readonly #path: string;
  readonly #counter: LineCounter;
  readonly #lines: SimpleLines | undefined;
  readonly #errors: ConfigError[] = [];
  readonly #anchors = new Map<string, Anchored>();
  readonly #pairs = new WeakMap<YAMLMap, Map<string, Pair>>();
  #document: Document | undefined;
  #values = 0;
  #aliased = 0;

  constructor(path: string, counter: LineCounter, lines: SimpleLines | undefined) {
    this.#lines = lines;
    this.#path = path;
    this.#counter = counter;
  }

  read(document: Document): YamlSource {
    this.#reportSyntax([...document.errors, ...document.warnings]);
    const version = document.directives?.yaml;
    if (version?.explicit && version.version !== "1.2") {
      this.#report("yaml_syntax", 0, [], `Cannot read YAML ${version.version}: remove the %YAML line, 1.2 is meant`);
    }
    this.#document = document;
    if (this.#errors.length > 0) return this.#source(undefined);
    return this.#source(this.#plain(document.contents, []));
  }

  /** One mistake makes the library report many: the first at each place is told, and a stack that ran out alone. */
  #reportSyntax(errors: readonly YAMLError[]): void {
    const deep = errors.find((error) => error.code === "RESOURCE_EXHAUSTION");
    const told = new Set<number>();
    for (const { code, message, pos } of deep ? [deep] : errors) {
      if (told.has(pos[0]) || told.size === MAX_SYNTAX) continue;
      told.add(pos[0]);
      if (code === "MULTIPLE_DOCS") {
        this.#report("yaml_documents", pos[0], [], "Cannot read the YAML: a second document begins here; keep one");
      } else if (deep) {
        this.#report("too_deep", pos[0], [], TOO_DEEP);
      } else {
        const reason = escapeInvisible(message.slice(0, MAX_REASON).replace(/\s+/g, " "));
        this.#report("yaml_syntax", pos[0], [], `Cannot read the YAML: ${reason}`);
      }
    }
  }

  fail(code: ConfigErrorCode, message: string): YamlSource {
    this.#errors.push({ code, path: this.#path, at: "", line: 1, column: 1, message });
    return this.#source(undefined);
  }

  #source(value: unknown): YamlSource {
    return { value, positions: this, errors: this.#errors, lines: this.#lines };
  }

  #report(code: ConfigErrorCode, offset: number, at: Path, message: string): void {
    this.#errors.push({ code, path: this.#path, at: formatPath(at), ...this.#place(offset), message });
  }

  #place(offset: number): Place {
    const { line, col } = this.#counter.linePos(offset);
    const taken = this.#lines?.takenBefore(offset) ?? 0;
    return line === 0 ? { line: 1, column: offset + 1 } : { line: line + taken, column: col };
  }

  #plain(node: unknown, path: Path): unknown {
    if (path.length > MAX_DEPTH) {
      this.#report("too_deep", startOf(node) ?? 0, path, TOO_DEEP);
      return undefined;
    }
    if (isAlias(node)) return this.#resolve(node, path);
    const before = this.#values++;
    const value = this.#valueOf(node, path);
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    // Only now, when it is whole: an alias inside what it stands for finds nothing.
    if (anchor !== undefined) this.#anchors.set(anchor, { value, node, size: this.#values - before });
    return value;
  }

  #valueOf(node: unknown, path: Path): unknown {
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map((item, index) => this.#plain(item, [...path, index]));
    return isMap(node) ? this.#plainMap(node, path) : null;
  }

  #resolve(alias: Alias, path: Path): unknown {
    // What it stands for may have more pairs than are counted here.
    this.#lines?.miss();
    const anchored = this.#anchors.get(alias.source);
    this.#aliased += anchored?.size ?? 0;
    this.#values += anchored?.size ?? 0;
    if (anchored !== undefined && this.#aliased <= MAX_ALIASED) return anchored.value;
    const reason = anchored ? "its aliases stand for too many values" : "nothing before it has that anchor";
    const message = `Cannot read the YAML alias ${quote(`*${alias.source}`)}: ${reason}`;
    this.#report("yaml_alias", startOf(alias) ?? 0, path, message);
    return undefined;
  }

  #plainMap(node: YAMLMap, path: Path): Record<string, unknown> {
    const map: Record<string, unknown> = Object.create(null);
    const pairs = new Map<string, Pair>();
    this.#pairs.set(node, pairs);
    for (const pair of node.items) {
      const key = keyText(pair.key);
      if (key === undefined) {
        const message = "Cannot use a list, a map or an alias as a key: a key is plain text";
        this.#report("yaml_syntax", startOf(pair.key) ?? 0, path, message);
        continue;
      }
      const first = pairs.get(key);
      if (first !== undefined) {
        this.#reportDuplicate(key, first, pair, path);
        continue;
      }
      pairs.set(key, pair);
      if (this.#lines !== undefined && node.flow !== true) this.#lines.prove(map, startOf(pair.key) ?? -1);
      map[key] = this.#plain(pair.value, [...path, key]);
    }
    return map;
  }

  #reportDuplicate(key: string, first: Pair, second: Pair, path: Path): void {
    const { line } = this.#place(startOf(first.key) ?? 0);
    const where = path.length === 0 ? "" : ` in ${formatPath(path)}`;
    const message = `Cannot use the key ${quote(key)}${where} twice: it is already on line ${line}`;
    this.#report("duplicate_key", startOf(second.key) ?? 0, [...path, key], message);
  }

  takenFrom(map: object): readonly TakenPairs[] {
    const lines = this.#lines;
    if (lines?.hasPairsOf(map) !== true) return [];
    return [{ pairs: () => lines.pairsOf(map), doubt: (line) => lines.doubts.add(line) }];
  }

  keyOf(path: Path): Place {
    return this.#find(path, true);
  }

  valueOf(path: Path): Place {
    return this.#find(path, false);
  }

  /** The deepest step of `path` that is in the file; its key if `wantKey`, or if its value is nowhere to be seen. */
  #find(path: Path, wantKey: boolean): Place {
    let node: unknown = this.#document?.contents;
    let offset = startOf(node) ?? 0;
    for (const [index, step] of path.entries()) {
      const container = isAlias(node) ? this.#anchors.get(node.source)?.node : node;
      const pair = isMap(container) ? this.#pairs.get(container)?.get(String(step)) : undefined;
      const item = isSeq(container) && typeof step === "number" ? container.items[step] : undefined;
      if (pair === undefined && item === undefined) {
        this.#lines?.miss();
        break;
      }
      node = pair === undefined ? item : pair.value;
      const key = startOf(pair?.key);
      const useKey = key !== undefined && (wantKey || index < path.length - 1 || isBlank(node));
      offset = useKey ? key : (startOf(node) ?? offset);
    }
    return this.#place(offset);
  }
}

function keyText(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  // As written: `1e3` and `~` are a number and null to YAML, but names here.
  return key.type === "PLAIN" && key.source !== undefined ? key.source : String(key.value ?? "");
}

function isBlank(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && (node.source ?? "") === "");
}

function startOf(node: unknown): number | undefined {
  const isNode = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
  return isNode ? node.range?.[0] : undefined;
}
