/**
 * The runtimes and adapters under test.
 *
 * Owns: the table. A new adapter is a new row, and every test of the suite runs for it. CERTLESS_ONLY=deno,linux@bun
 * picks rows by name; CERTLESS_TEST_RUNTIMES, which `npm test -- conformance deno` sets, picks them by runtime.
 */

import process from "node:process";
import { describe } from "node:test";
import { binary, type Runtime } from "../../runner/suites.ts";

export interface Combination {
  /** The adapter alone where it is the runtime's own, otherwise `linux@node`. */
  readonly name: string;
  readonly runtime: Runtime;
  readonly adapter: string;
  /** What stands between the runtime's binary and the program's file. */
  readonly runtimeArgs: readonly string[];
  /** Environment that keeps the collector from putting its work off: only then does memory tell of leaks. */
  readonly smallHeap: Readonly<Record<string, string>>;
  /** Milliseconds for which the kernel keeps a client back that says nothing (`TCP_DEFER_ACCEPT`). */
  readonly silentFor: number;
}

const V8_OPTIONS = ["--max-old-space-size=32", "--max-semi-space-size=1"];
const V8_HEAPS = {
  node: { NODE_OPTIONS: V8_OPTIONS.join(" ") },
  deno: { DENO_V8_FLAGS: V8_OPTIONS.join(",") },
};
const JSC_HEAP = { BUN_JSC_forceRAMSize: String(64 * 1024 * 1024) };

const TABLE = [
  { name: "node", runtime: "node", adapter: "node", runtimeArgs: [], smallHeap: V8_HEAPS.node, silentFor: 0 },
  {
    name: "deno",
    runtime: "deno",
    adapter: "deno",
    runtimeArgs: ["run", "--allow-all", "--no-check", "--unstable-net"],
    smallHeap: V8_HEAPS.deno,
    silentFor: 0,
  },
  { name: "bun", runtime: "bun", adapter: "bun", runtimeArgs: [], smallHeap: JSC_HEAP, silentFor: 0 },
  { name: "linux@node", runtime: "node", adapter: "linux", runtimeArgs: [], smallHeap: V8_HEAPS.node, silentFor: 1000 },
  {
    name: "linux@deno",
    runtime: "deno",
    adapter: "linux",
    runtimeArgs: ["run", "--allow-all", "--no-check"],
    smallHeap: V8_HEAPS.deno,
    silentFor: 1000,
  },
  { name: "linux@bun", runtime: "bun", adapter: "linux", runtimeArgs: [], smallHeap: JSC_HEAP, silentFor: 1000 },
] as const satisfies readonly Combination[];

export type CombinationName = (typeof TABLE)[number]["name"];

export const COMBINATIONS: readonly Combination[] = chosen();

function chosen(): readonly Combination[] {
  const names = process.env.CERTLESS_ONLY?.split(",").filter((name) => name !== "");
  const runtimes = process.env.CERTLESS_TEST_RUNTIMES?.split(",");
  const rows: readonly Combination[] = TABLE;
  const unknown = names?.find((name) => !rows.some((row) => row.name === name));
  if (unknown !== undefined) {
    throw new Error(`CERTLESS_ONLY names "${unknown}": there are ${rows.map((row) => row.name).join(", ")}`);
  }
  return rows.filter(
    (row) =>
      (names === undefined || names.includes(row.name)) && (runtimes === undefined || runtimes.includes(row.runtime)),
  );
}

/** Declares the tests of one behaviour once for each combination. */
export function forEachCombination(declare: (combination: Combination) => void): void {
  for (const combination of COMBINATIONS) describe(combination.name, () => declare(combination));
}

/** The command line that starts `file` of the program. */
export function commandOf(combination: Combination, file: string): readonly [file: string, args: readonly string[]] {
  return [binary(combination.runtime), [...combination.runtimeArgs, file]];
}
