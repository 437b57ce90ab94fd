/**
 * Which tests there are and how each runtime is asked to run them.
 *
 * Owns: the table of suites and the three command lines.
 */

import { existsSync, globSync } from "node:fs";
import { relative, resolve, sep } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

export const RUNTIMES = ["node", "deno", "bun"] as const;
export type Runtime = (typeof RUNTIMES)[number];

export interface Suite {
  readonly name: string;
  /** Relative to the root. */
  readonly pattern: string;
  /**
   * `everywhere`: the same files under each runtime. `orchestrated`: once, on Node; the tests start the
   * program under each runtime themselves, those of CERTLESS_TEST_RUNTIMES.
   */
  readonly runs: "everywhere" | "orchestrated";
  /** Files that run at the same time, on Node; 1 if absent. */
  readonly abreast?: number;
}

export const SUITES: readonly Suite[] = [
  { name: "rules", pattern: "test/{rules,runner/*}.test.ts", runs: "orchestrated" },
  { name: "unit", pattern: "test/unit/**/*.test.ts", runs: "everywhere" },
  { name: "adapters", pattern: "test/adapters/**/*.test.ts", runs: "everywhere" },
  { name: "docs", pattern: "test/docs/**/*.test.ts", runs: "orchestrated" },
  // They wait more than they work. What measures memory and processor time, or takes them all, is in `load`.
  { name: "conformance", pattern: "test/conformance/**/*.test.ts", runs: "orchestrated", abreast: 2 },
  { name: "load", pattern: "test/load/**/*.test.ts", runs: "orchestrated" },
  { name: "packaging", pattern: "test/packaging/**/*.test.ts", runs: "orchestrated" },
  { name: "page", pattern: "test/page/**/*.test.ts", runs: "orchestrated" },
  { name: "clients", pattern: "test/clients/**/*.test.ts", runs: "orchestrated" },
];

/** The suite's files, relative to the root. `name.deno.test.ts` is for Deno alone, likewise `.node.` and `.bun.`. */
export function filesOf(suite: Suite, runtime: Runtime): string[] {
  const files = globSync(suite.pattern, { cwd: ROOT }).map((file) => relative(ROOT, resolve(ROOT, file)));
  return files
    .map((file) => file.replaceAll(sep, "/"))
    .filter((file) => (/\.(node|deno|bun)\.test\.ts$/.exec(file)?.[1] ?? runtime) === runtime)
    .sort();
}

/** The pinned runtime of `npm ci`, never one that happens to be on the machine. */
export function binary(runtime: Runtime): string {
  const path = resolve(ROOT, "node_modules/.bin", runtime);
  if (!existsSync(path)) throw new Error(`Cannot find ${runtime} in node_modules: run \`npm ci\` first`);
  return path;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** What it prints matters only if it fails. */
  readonly quiet: boolean;
  /** Milliseconds until it is killed. */
  readonly deadline: number;
}

const WITNESS = resolve(ROOT, "test/runner/witness.ts");
/** Milliseconds for one test and for a whole suite; what needs a deadline of its own has one. */
const LIMITS = {
  everywhere: { test: 60_000, suite: 300_000 },
  orchestrated: { test: 900_000, suite: 3_600_000 },
} as const;

/** How `runtime` runs `files` and writes its report to `report`. */
export function command(suite: Suite, runtime: Runtime, files: string[], report: string, verbose: boolean): Command {
  const quiet = !verbose && suite.runs === "everywhere";
  const limits = LIMITS[suite.runs];
  const args = COMMANDS[runtime](files, report, quiet, { testLimit: limits.test, abreast: suite.abreast ?? 1 });
  return { file: binary(runtime), args, quiet, deadline: limits.suite };
}

interface Pace {
  /** Milliseconds for one test. */
  readonly testLimit: number;
  /** Files at the same time. */
  readonly abreast: number;
}

type Arguments = (files: string[], report: string, quiet: boolean, pace: Pace) => string[];

const COMMANDS: Readonly<Record<Runtime, Arguments>> = {
  node: (files, report, quiet, { testLimit, abreast }) => [
    "--test",
    `--import=${WITNESS}`,
    `--test-timeout=${testLimit}`,
    `--test-concurrency=${abreast}`,
    `--test-reporter=${quiet ? "dot" : "spec"}`,
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    ...files,
  ],
  deno: (files, report, quiet) => [
    "test",
    "--allow-all",
    // `npm run check` has checked the types, Deno's own included.
    "--no-check",
    "--no-remote",
    `--preload=${WITNESS}`,
    `--reporter=${quiet ? "dot" : "pretty"}`,
    `--junit-path=${report}`,
    ...files,
  ],
  bun: (files, report, quiet, { testLimit }) => [
    "test",
    `--preload=${WITNESS}`,
    `--timeout=${testLimit}`,
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    ...(quiet ? ["--only-failures"] : []),
    ...files.map((file) => `./${file}`),
  ],
};
