/**
 * Starts the program in one of its shapes and judges what it printed.
 *
 * Owns: what every shape must be able to do: say its version, and route real TLS (`certless demo`).
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import packageJson from "../../package.json" with { type: "json" };
import { binary, ROOT, RUNTIMES, type Runtime } from "../runner/suites.ts";

export interface Ended {
  /** `undefined`: a signal, or the deadline. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until it is killed; 60,000 if absent. */
  readonly deadline?: number;
}

/** Runs to the end; never throws for what the program does. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { cwd = ROOT, env = process.env, deadline = 60_000 } = options;
  const child = spawn(file, args, {
    cwd,
    env: { ...env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: deadline,
    killSignal: "SIGKILL",
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ status: undefined, stdout, stderr: `${stderr}${error.message}` }));
    child.on("close", (code) => resolve({ status: code ?? undefined, stdout, stderr }));
  });
}

/** One of package.json's scripts, as a user would start it. */
export async function runScript(name: keyof typeof packageJson.scripts, options: RunOptions = {}): Promise<Ended> {
  const path = `${join(ROOT, "node_modules/.bin")}${delimiter}${process.env.PATH ?? ""}`;
  return run("npm", ["run", "--silent", name], { deadline: 180_000, ...options, env: { ...process.env, PATH: path } });
}

/** The runtimes that `npm test -- packaging deno` asks for; all of them otherwise. */
export function runtimesUnderTest(): Runtime[] {
  const asked = process.env.CERTLESS_TEST_RUNTIMES?.split(",");
  return RUNTIMES.filter((runtime) => asked === undefined || asked.includes(runtime));
}

/** How `runtime` runs a file of ours. Deno gets the permissions of `npm run compile:deno`: they have to suffice. */
export function start(runtime: Runtime, file: string): readonly [file: string, ...args: string[]] {
  if (runtime !== "deno") return [binary(runtime), file];
  const permissions = packageJson.scripts["compile:deno"].match(/--allow-\S+/g) ?? [];
  return [binary("deno"), "run", ...permissions, file];
}

export function pinned(runtime: Runtime): string {
  return `${runtime} ${packageJson.devDependencies[runtime]}`;
}

/** Fails unless it says its version, and carries real HTTPS to the right server of two and refuses a third name. */
export async function assertWorks(
  command: readonly string[],
  runtime: Runtime,
  options: RunOptions = {},
): Promise<void> {
  const [file = "", ...args] = command;
  const version = await run(file, [...args, "--version"], options);
  assert.equal(version.status, 0, version.stderr);
  assert.match(version.stdout, new RegExp(`\\b${packageJson.version.replaceAll(".", "\\.")}\\b`));
  const demo = await run(file, [...args, "demo"], options);
  assert.equal(demo.status, 0, `${demo.stdout}\n${demo.stderr}`);
  assert.equal(demo.stderr, "");
  assert.ok(
    demo.stdout.includes(`(${pinned(runtime)}, adapter ${process.platform === "linux" ? "linux" : runtime})`),
    `not on ${pinned(runtime)}:\n${demo.stdout}`,
  );
  assert.match(demo.stdout, /answered by\s+server "shop", status 200/);
  assert.match(demo.stdout, /answered by\s+server "api", status 200/);
  assert.match(demo.stdout, /refused\s.*\n\s+client saw\s+TLS alert unrecognized_name/);
}

/** A directory with nothing in it, outside the checkout; gone after `use`. */
export async function inEmptyDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "certless-packaging-"));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
