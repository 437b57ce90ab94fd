/**
 * The command lines that the documentation shows: those of the pages' `sh` blocks, and those of the commands' help.
 */

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../../src/cli/cli.ts";
import { ROOT } from "../runner/suites.ts";

export interface CommandLine {
  /** `README.md:35`, or `certless route --help`. */
  readonly where: string;
  /** As it stands there, its comment too; one that goes on in the next line is one. */
  readonly text: string;
}

/** Relative to the root. */
export const DOCUMENTS: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  ...globSync("docs/*.md", { cwd: ROOT }).sort(),
];

export function commandLines(): readonly CommandLine[] {
  return [...DOCUMENTS.flatMap((path) => linesOfPage(path, readDocument(path))), ...linesOfHelp()];
}

export function readDocument(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** @param path for `where`. */
export function linesOfPage(path: string, page: string): CommandLine[] {
  return [...page.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(({ 1: block = "", index }) => {
    const before = page.slice(0, index).split("\n").length;
    return linesOfBlock(block).map(({ text, line }) => ({ where: `${path}:${before + line}`, text }));
  });
}

/** Empty lines, and comments that stand alone, are none. @returns `line` counts from 1. */
function linesOfBlock(block: string): { readonly text: string; readonly line: number }[] {
  const whole = [...block.matchAll(/(?:.*\\\n)*.+/g)];
  return whole
    .filter(([text]) => !/^\s*(?:#|$)/.test(text))
    .map(({ 0: text, index }) => ({ text, line: block.slice(0, index).split("\n").length }));
}

function linesOfHelp(): CommandLine[] {
  return [...COMMANDS].flatMap(([name, { help }]) =>
    [...help.matchAll(/^ {2}(certless .*)$/gm)].map(({ 1: text = "" }) => ({ where: `certless ${name} --help`, text })),
  );
}
