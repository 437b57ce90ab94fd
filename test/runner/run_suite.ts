/**
 * Runs one suite under one runtime and says what came of it, trusting no exit code and no green line alone.
 *
 * Owns: what makes a run a failure although every test in it passed.
 */

import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import packageJson from "../../package.json" with { type: "json" };
import { filesIn, readJunit, type TestResult } from "./junit.ts";
import { type Command, command, ROOT, type Runtime, type Suite } from "./suites.ts";
import type { Testimony } from "./witness.ts";

export interface SuiteRun {
  readonly suite: Suite;
  readonly runtime: Runtime;
  /** As the test processes themselves said it, `deno 2.9.6`; empty if none spoke. */
  readonly ranOn: string;
  readonly tests: readonly TestResult[];
  /** What was wrong with the run itself, each a failure. */
  readonly problems: readonly string[];
  readonly seconds: number;
}

export interface RunOptions {
  readonly verbose: boolean;
  /** What an orchestrated suite starts the program under. */
  readonly runtimes: readonly Runtime[];
}

export async function runSuite(
  suite: Suite,
  runtime: Runtime,
  files: string[],
  options: RunOptions,
): Promise<SuiteRun> {
  const started = performance.now();
  if (files.length === 0) {
    return { suite, runtime, ranOn: "", tests: [], problems: [`no file matches ${suite.pattern}`], seconds: 0 };
  }
  const folder = mkdtempSync(join(tmpdir(), "certless-test-"));
  try {
    const report = join(folder, "report.xml");
    const witness = join(folder, "witness.jsonl");
    const ended = await execute(command(suite, runtime, files, report, options.verbose), {
      CERTLESS_TEST_WITNESS: witness,
      CERTLESS_TEST_RUNTIMES: options.runtimes.join(","),
    });
    const xml = existsSync(report) ? readFileSync(report, "utf8") : "";
    const tests = readJunit(xml);
    const testimony = readTestimony(witness);
    const problems = [
      ...endProblems(ended, tests),
      ...fileProblems(files, xml, tests),
      ...witnessProblems(runtime, testimony),
    ];
    const seconds = (performance.now() - started) / 1000;
    return { suite, runtime, ranOn: spokenBy(testimony).join(" and "), tests, problems, seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How a runner ended: `ended with exit code 1`, `ended with signal SIGSEGV`, or `undefined` for well. */
type Ended = string | undefined;

/** A quiet run keeps its output to itself until it fails. */
async function execute({ file, args, quiet, deadline }: Command, env: Record<string, string>): Promise<Ended> {
  const path = `${resolve(ROOT, "node_modules/.bin")}${delimiter}${process.env.PATH ?? ""}`;
  const colour = process.stdout.isTTY && !quiet ? {} : { NO_COLOR: "1" };
  const child = spawn(file, args, {
    cwd: ROOT,
    env: { ...process.env, ...colour, ...env, PATH: path },
    stdio: ["ignore", quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"],
    // A group of its own, so that what the tests have started ends with them.
    detached: true,
  });
  const output: Uint8Array[] = [];
  child.stdout?.on("data", (chunk: Uint8Array) => output.push(chunk));
  child.stderr?.on("data", (chunk: Uint8Array) => output.push(chunk));
  const endsInTime = new Promise<Ended>((settle) => {
    child.on("error", (error) => settle(`could not be started: ${error.message}`));
    child.on("close", (code, signal) => {
      if (code === 0) settle(undefined);
      else settle(`ended with ${code === null ? `signal ${signal}` : `exit code ${code}`}`);
    });
  });
  const ended = await within(deadline, child, endsInTime);
  if (ended !== undefined) process.stdout.write(withoutDots(Buffer.concat(output).toString()));
  return ended;
}

/** Node waits for ever for a test process in which a socket or a timer was left open. */
async function within(deadline: number, child: ChildProcess, endsInTime: Promise<Ended>): Promise<Ended> {
  const killGroup = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // It has ended.
    }
  };
  const interrupted = (signal: NodeJS.Signals): void => {
    killGroup(signal);
    process.exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupted);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup("SIGKILL");
  }, deadline);
  const ended = await endsInTime;
  clearTimeout(timer);
  killGroup("SIGKILL");
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, interrupted);
  return late ? `did not end within ${deadline / 1000} s (is a socket, a timer or a child left open?)` : ended;
}

/** Deno prints each dot of its dot reporter on a line of its own where there is no terminal. */
function withoutDots(output: string): string {
  return output.replace(/^[.,!]\n/gm, "");
}

function endProblems(ended: Ended, tests: readonly TestResult[]): string[] {
  const failed = tests.some((test) => test.outcome === "failed");
  const problems = ended === undefined || failed ? [] : [`${ended}, yet its report has no failed test`];
  if (ended === undefined && failed) problems.push("ended well, yet its report has a failed test");
  if (!tests.some((test) => test.outcome !== "skipped")) problems.push("ran no test");
  return problems;
}

/** A file whose every test vanished, because it failed to load for one, must not pass for green. */
function fileProblems(files: readonly string[], xml: string, tests: readonly TestResult[]): string[] {
  const seen = [...filesIn(xml), ...tests.map((test) => test.file)].map((file) => resolve(ROOT, file));
  return files.filter((file) => !seen.includes(resolve(ROOT, file))).map((file) => `${file} has no test in the report`);
}

function witnessProblems(runtime: Runtime, testimony: readonly Testimony[]): string[] {
  const expected = `${runtime} ${packageJson.devDependencies[runtime]}`;
  const speakers = spokenBy(testimony);
  const problems = speakers.filter((name) => name !== expected).map((name) => `ran on ${name} instead of ${expected}`);
  if (speakers.length === 0) problems.push(`no test process said that it was ${expected}`);
  for (const line of testimony) {
    if (line.kind === "fault") problems.push(`an error escaped its test: ${line.message}`);
  }
  return problems;
}

function spokenBy(testimony: readonly Testimony[]): string[] {
  const names = testimony.flatMap((line) => (line.kind === "runtime" ? `${line.name} ${line.version}` : []));
  return [...new Set(names)];
}

function readTestimony(file: string): Testimony[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Testimony);
}
