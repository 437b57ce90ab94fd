/**
 * The bench's command line.
 *
 * Owns: the options and how long everything takes. It measures nothing.
 */

import { parseArgs } from "node:util";

export const USAGE = `Measures certless beside nginx, HAProxy, sniproxy and a direct connection, in one run.

Usage: npm run bench -- [OPTIONS]

  --quick          a rough look: less than 7 minutes instead of less than 25
  --only NAME,…    these contenders: nginx, bun, linux@bun, bun+log (with an access log),
                   bun+all (with that, metrics and a page that is open), …;
                   the start of a name takes all that begin so
  --rounds N       rounds; every contender has its turn in each, and the median counts
  --json FILE      write every number
  --svg FILE       write a chart
  --help           this text
`;

export interface BenchOptions {
  readonly help: boolean;
  readonly only: readonly string[];
  readonly rounds: number;
  readonly json: string | undefined;
  readonly svg: string | undefined;
  readonly settings: Settings;
}

export interface Settings {
  /** Seconds of each load before and while it counts. A runtime's compiler needs some before it has settled. */
  readonly warmUp: number;
  readonly seconds: number;
  /** Idle connections. */
  readonly idle: number;
  /** Whether the contenders with an access log take part. */
  readonly logging: boolean;
  /** Seconds for everything; no round is begun that would not end in time. */
  readonly budget: number;
}

const FULL: Settings = { warmUp: 1.5, seconds: 1, idle: 2000, logging: true, budget: 1500 };
const QUICK: Settings = { warmUp: 1, seconds: 0.5, idle: 1000, logging: false, budget: 420 };

/** @throws {Error} on an unknown option or a number that is none. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", short: "h", default: false },
      quick: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      rounds: { type: "string" },
      json: { type: "string" },
      svg: { type: "string" },
    },
  });
  const only = values.only.split(",").filter((name) => name !== "");
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`Cannot run ${values.rounds} rounds: give a number from 1`);
  const settings = values.quick ? QUICK : FULL;
  return {
    help: values.help,
    only,
    rounds,
    json: values.json,
    svg: values.svg,
    settings,
  };
}
