/**
 * The project's own files as the rules see them: text, code without its comments, imports, functions.
 *
 * Owns: reading and cutting up source text. By lines and patterns, not by a parser: the formatter has made
 * the text regular, and a rule that misses an odd spelling once is cheaper than a parser.
 */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import { ROOT } from "./suites.ts";

export interface Import {
  /** As written: `./bytes.ts`, `node:net`, `zod`. */
  readonly specifier: string;
  /** Relative to the root, for a relative specifier. */
  readonly path: string | undefined;
  readonly typeOnly: boolean;
}

export interface FunctionSize {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

/** One file. */
export interface Source {
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly text: string;
  /** `text` with comments blanked, line numbers kept. */
  readonly code: string;
}

/** Every file that is, or will be with the next commit, part of the repository. */
export function repositoryFiles(): string[] {
  const list = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const listed = execFileSync("git", list, { cwd: ROOT, encoding: "utf8" }).split("\0");
  const deleted = execFileSync("git", ["ls-files", "--deleted", "-z"], { cwd: ROOT, encoding: "utf8" }).split("\0");
  return [...new Set(listed)].filter((path) => path !== "" && !deleted.includes(path)).sort();
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

export function readSource(path: string): Source {
  const text = readText(path);
  return { path, text, code: blankComments(text) };
}

/** Leaves newlines, and `//` inside a string or a regular expression that has a quote or a slash before it. */
function blankComments(text: string): string {
  const withoutBlocks = text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "));
  return withoutBlocks.replace(/(^|[\s;{}(),])\/\/.*$/gm, "$1");
}

const IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
const DYNAMIC_IMPORT = /\bimport\(\s*"([^"]+)"/g;

export function importsOf({ path, code }: Source): Import[] {
  const fixed = [...code.matchAll(IMPORT)].map(([, type, specifier = ""]) => ({
    specifier,
    typeOnly: type !== undefined,
  }));
  const dynamic = [...code.matchAll(DYNAMIC_IMPORT)].map(([, specifier = ""]) => ({ specifier, typeOnly: false }));
  return [...fixed, ...dynamic].map(({ specifier, typeOnly }) => ({
    specifier,
    typeOnly,
    path: specifier.startsWith(".") ? normalize(join(dirname(path), specifier)) : undefined,
  }));
}

/** Does it do anything at run time that a test could see? A type or a table does not. */
export function hasBehaviour({ code }: Source): boolean {
  const withoutTypes = code
    .replace(/^(?:export )?(?:interface\b[^\n]*|type\b[^\n]*)\{$[\s\S]*?^\};?$/gm, "")
    .replace(/^(?:export )?type\b[\s\S]*?;$/gm, "");
  return /^(?:export )?(?:async function|function|(?:abstract )?class)\b|=>/m.test(withoutTypes);
}

const FUNCTION_HEAD =
  /^(\s*)(?:export\s+)?(?:(?:async\s+)?function\s*\*?\s*(\w+)|(?:const|let)\s+(\w+)\b.*=>\s*\{$|(?:private |public |protected |static |async |get |set |#|\*)*(\w+)\(.*\{$)/;
const NOT_A_METHOD = new Set(["if", "for", "while", "switch", "catch", "return", "describe", "test", "with"]);

/** Lines from a function's head to the closing brace at the same indentation, both included. */
export function functionsOf({ code }: Source): FunctionSize[] {
  const lines = code.split("\n");
  return lines.flatMap((line, index) => {
    const head = FUNCTION_HEAD.exec(line);
    const name = head?.[2] ?? head?.[3] ?? head?.[4];
    if (head === null || name === undefined || NOT_A_METHOD.has(name)) return [];
    const close = lines.findIndex((other, at) => at > index && new RegExp(`^${head[1]}\\}[;,)]*$`).test(other));
    return close === -1 ? [] : [{ name, line: index + 1, lines: close - index + 1 }];
  });
}

/** Line number, from 1, of the character at `offset`. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
