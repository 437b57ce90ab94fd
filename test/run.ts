/**
 * `npm test`: every suite under every runtime it is for, one after another, and one line of sums at the end.
 *
 *   npm test                          all
 *   npm test -- unit                  a suite
 *   npm test -- conformance deno      a suite under one runtime
 *   npm test -- tls/client_hello      the files whose path has that in it
 *   npm test -- --verbose             every test by name
 *
 * Owns: the choice of what runs, and the summary. Ends with `N passed, N failed[, N skipped]`.
 */

import process from "node:process";
import type { TestResult } from "./runner/junit.ts";
import { runSuite, type SuiteRun } from "./runner/run_suite.ts";
import { filesOf, RUNTIMES, type Runtime, SUITES, type Suite } from "./runner/suites.ts";

interface Choice {
  readonly suites: readonly Suite[];
  readonly runtimes: readonly Runtime[];
  /** A file runs if its path has one of these in it; none: all run. */
  readonly paths: readonly string[];
  readonly verbose: boolean;
}

interface Planned {
  readonly suite: Suite;
  readonly runtime: Runtime;
  readonly files: string[];
}

function choose(args: readonly string[]): Choice {
  const words = args.filter((arg) => !arg.startsWith("-"));
  const suites = SUITES.filter((suite) => words.includes(suite.name));
  const runtimes = RUNTIMES.filter((runtime) => words.includes(runtime));
  const known: readonly string[] = [...suites.map((suite) => suite.name), ...runtimes];
  return {
    suites: suites.length > 0 ? suites : SUITES,
    runtimes: runtimes.length > 0 ? runtimes : RUNTIMES,
    paths: words.filter((word) => !known.includes(word)),
    verbose: args.includes("--verbose") || args.includes("-v"),
  };
}

/** Without a path every suite is planned, an empty one too: that is a failure. */
function plan({ suites, runtimes, paths }: Choice): Planned[] {
  const planned = suites.flatMap((suite) =>
    (suite.runs === "everywhere" ? runtimes : (["node"] as const)).map((runtime) => {
      const files = filesOf(suite, runtime);
      const chosen = paths.length === 0 ? files : files.filter((file) => paths.some((path) => file.includes(path)));
      return { suite, runtime, files: chosen };
    }),
  );
  return paths.length === 0 ? planned : planned.filter(({ files }) => files.length > 0);
}

function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}

function label({ suite, runtime }: Pick<SuiteRun, "suite" | "runtime">): string {
  return suite.runs === "everywhere" ? `${suite.name} on ${runtime}` : suite.name;
}

function count(runs: readonly SuiteRun[], outcome: TestResult["outcome"]): number {
  const tests = runs.flatMap((run) => run.tests.filter((test) => test.outcome === outcome)).length;
  return outcome === "failed" ? tests + runs.flatMap((run) => run.problems).length : tests;
}

function sums(runs: readonly SuiteRun[]): string {
  const skipped = count(runs, "skipped");
  const tail = skipped === 0 ? "" : `, ${skipped} skipped`;
  return `${count(runs, "passed")} passed, ${count(runs, "failed")} failed${tail}`;
}

function describeRun(run: SuiteRun): string {
  const ranOn = run.ranOn === "" ? "ran nowhere" : `ran on ${run.ranOn}`;
  return `${label(run)}: ${sums([run])} (${ranOn}, ${run.seconds.toFixed(1)} s)`;
}

/** Only Node's report carries a reason, so a test skipped elsewhere borrows it by name. */
function reasons(runs: readonly SuiteRun[]): Map<string, string> {
  const tests = runs.flatMap((run) => run.tests);
  return new Map(tests.filter((test) => test.detail !== "").map((test) => [test.name, test.detail]));
}

function printSkipped(runs: readonly SuiteRun[]): void {
  const known = reasons(runs);
  for (const run of runs) {
    const byReason = new Map<string, TestResult[]>();
    for (const test of run.tests.filter((result) => result.outcome === "skipped")) {
      const reason = test.detail || known.get(test.name) || "no reason given";
      byReason.set(reason, [...(byReason.get(reason) ?? []), test]);
    }
    for (const [reason, tests] of byReason) {
      const names = tests.slice(0, 3).map((test) => test.name);
      const more = tests.length > 3 ? `; and ${tests.length - 3} more` : "";
      print(`  skipped, ${label(run)}: ${reason} (${names.join("; ")}${more})`);
    }
  }
}

function printFailed(runs: readonly SuiteRun[]): void {
  for (const run of runs) {
    for (const test of run.tests.filter((result) => result.outcome === "failed")) {
      print(`  FAILED, ${label(run)}: ${test.name}: ${test.detail.split("\n")[0]}`);
    }
    for (const problem of run.problems) print(`  FAILED, ${label(run)}: ${problem}`);
  }
}

async function main(): Promise<void> {
  const choice = choose(process.argv.slice(2));
  const planned = plan(choice);
  if (planned.length === 0) {
    const suites = SUITES.map((suite) => suite.name).join(", ");
    print(`Cannot find a test for "${choice.paths.join(" ")}": suites are ${suites}; runtimes ${RUNTIMES.join(", ")}`);
    process.exit(2);
  }
  const runs: SuiteRun[] = [];
  for (const { suite, runtime, files } of planned) {
    print(`\n== ${label({ suite, runtime })}: ${files.length} ${files.length === 1 ? "file" : "files"}`);
    const run = await runSuite(suite, runtime, files, choice);
    runs.push(run);
    print(`== ${describeRun(run)}`);
  }
  print("\nSummary");
  for (const run of runs) print(`  ${describeRun(run)}`);
  printSkipped(runs);
  printFailed(runs);
  print();
  print(sums(runs));
  process.exit(count(runs, "failed") === 0 ? 0 : 1);
}

await main();
