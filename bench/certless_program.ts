/**
 * certless as its users run it: the bundle, made anew, one file for all runtimes.
 *
 * Owns: the making of it and its command line on each runtime.
 */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { binary, ROOT, RUNTIMES, type Runtime } from "../test/runner/suites.ts";

export const CERTLESS_RUNTIMES = RUNTIMES;

export interface Program {
  /** Whether its configuration knows `workers`; the bench allows everyone one. */
  readonly hasWorkers: boolean;
  args(runtime: Runtime, args: readonly string[]): string[];
}

/** Bundles into `directory` as `npm run bundle` does. @throws {Error} with what the bundler says. */
export function bundle(directory: string): Program {
  const path = join(directory, "certless.js");
  const main = join(ROOT, "adapters/main.ts");
  run(binary("bun"), ["build", main, "--target=node", "--external=bun:*", `--outfile=${path}`]);
  const schema = JSON.parse(run(binary("node"), [path, "schema"])) as { properties: Record<string, unknown> };
  return {
    hasWorkers: "workers" in schema.properties,
    args: (runtime, args) => [...(runtime === "deno" ? ["run", "-A", "--no-config"] : []), path, ...args],
  };
}

function run(file: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd: ROOT, encoding: "utf8", timeout: 60_000 });
  if (status !== 0) throw new Error(`Cannot make the program: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}
