/**
 * `npm run bench`: certless beside its peers, each on one core, in one run.
 *
 * Owns: the rounds, the time they may take, and that nothing it started outlives it. A timing is never a test.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { bundle } from "./certless_program.ts";
import { chart } from "./chart.ts";
import { type Contender, contenders, hasExtra } from "./contenders.ts";
import { Generator } from "./generator.ts";
import { describeMachine, versionOfContender } from "./machine.ts";
import { type BenchOptions, parseOptions, USAGE } from "./options.ts";
import { killAll } from "./proxy_process.ts";
import { type LeftOut, report } from "./report.ts";
import { summarise } from "./results.ts";
import { GENERATOR_CORE, PROXY_CORE, type Turn, takeTurn } from "./turn.ts";

interface Starter {
  readonly contender: Contender;
  readonly version: string;
  readonly turns: Turn[];
}

const directory = mkdtempSync(join(tmpdir(), "certless-bench-"));
let generator: Generator | undefined;

process.on("exit", () => {
  killAll();
  generator?.kill();
  rmSync(directory, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else await bench(options);
} catch (error) {
  process.stderr.write(`bench: ${message(error)}\n`);
  // With what it started, which would keep it running.
  process.exit(2);
}

async function bench(options: BenchOptions): Promise<void> {
  stayOnOwnCore();
  generator = await Generator.start(GENERATOR_CORE);
  const machine = describeMachine();
  say(`${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}; the load is made on ${generator.runtime}`);
  const starters = choose(contenders(bundle(directory)), options).map(
    (contender): Starter => ({ contender, version: versionOfContender(contender), turns: [] }),
  );
  const leftOut = await runRounds(starters, generator, options);
  generator.kill();

  const summary = summarise(starters);
  const { results } = summary;
  process.stdout.write(`\n${report(summary, leftOut)}`);
  const versions = [...new Set(results.map(({ version }) => version).filter(Boolean))].join(", ");
  process.stdout.write(`${versions}\n`);
  const date = new Date().toISOString().slice(0, 10);
  if (options.json !== undefined) {
    const file = { date, machine, generator: generator.runtime, settings: options.settings, ...summary, leftOut };
    writeFileSync(options.json, `${JSON.stringify(file, null, 2)}\n`);
  }
  const release = /^[\d.]+/.exec(machine.kernel)?.[0] ?? machine.kernel;
  const caption = `${machine.cpu}, Linux ${release}; ${versions}; ${date}`;
  if (options.svg !== undefined) writeFileSync(options.svg, chart(results, caption));
}

/** Everyone has a turn in each round. Who fails once is left out from then on, and its numbers with it. */
async function runRounds(starters: Starter[], load: Generator, options: BenchOptions): Promise<LeftOut[]> {
  const leftOut: LeftOut[] = [];
  const begin = performance.now();
  let longest = 0;
  for (let round = 1; round <= options.rounds; round++) {
    const started = performance.now();
    if ((started - begin + longest) / 1000 > options.settings.budget) {
      say(`no time is left for round ${round} of ${options.rounds}`);
      break;
    }
    for (const { contender, turns } of starters) {
      // A contender that hangs until its deadlines may use up more than the round before did.
      if ((performance.now() - begin) / 1000 > options.settings.budget) return leftOut;
      if (leftOut.some(({ name }) => name === contender.name)) continue;
      say(`round ${round} of ${options.rounds}: ${contender.name}`);
      try {
        turns.push(await takeTurn(contender, load, directory, options.settings));
      } catch (error) {
        if (load.hasEnded) throw error;
        leftOut.push({ name: contender.name, why: message(error) });
        turns.length = 0;
      }
    }
    longest = Math.max(longest, performance.now() - started);
  }
  return leftOut;
}

/** A name takes the contender that is called so, or all whose names begin so, but for those with an access log. @throws {Error} when it takes none. */
function choose(all: readonly Contender[], { only, settings }: BenchOptions): Contender[] {
  const chosen = only.flatMap((name) => {
    const exact = all.filter((contender) => contender.name === name);
    const found =
      exact.length > 0 ? exact : all.filter((contender) => contender.name.startsWith(name) && !hasExtra(contender));
    if (found.length > 0) return found;
    throw new Error(`Cannot measure "${name}": there are ${all.map((contender) => contender.name).join(", ")}`);
  });
  return all.filter((contender) =>
    only.length > 0 ? chosen.includes(contender) : settings.logging || !hasExtra(contender),
  );
}

/** The proxy's core is for the proxy alone. @throws {Error} where there is none to give. */
function stayOnOwnCore(): void {
  if (process.platform !== "linux") throw new Error("Cannot measure here: it needs Linux, taskset and /proc");
  const { status, error } = spawnSync("taskset", ["-acp", String(GENERATOR_CORE), String(process.pid)]);
  if (status === 0) return;
  throw new Error(
    `Cannot give the proxy core ${PROXY_CORE} and the load core ${GENERATOR_CORE}: ${error?.message ?? "there are not two cores"}`,
  );
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
