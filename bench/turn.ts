/**
 * One contender's turn in one round: start it, measure everything, end it.
 *
 * Owns: the order of the measurements. What they mean is in `metrics.ts`.
 */

import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Contender, Place } from "./contenders.ts";
import { pssBytes } from "./cpu.ts";
import type { Generator } from "./generator.ts";
import { LOADS, type Numbers, numbersOf, type Samples } from "./metrics.ts";
import type { Settings } from "./options.ts";
import { pollLikeThePage } from "./page_polls.ts";
import { ProxyProcess } from "./proxy_process.ts";

/** The core that the proxy has for itself; everybody else is on the other. */
export const PROXY_CORE = 0;
export const GENERATOR_CORE = 1;

/** Seconds within which a proxy has to forward its first connection. */
const START_LIMIT = 10;
/** Milliseconds for a proxy to come to rest before its memory is read. */
const REST = 1000;
/** Seconds of a few connections at a time, so that code compiled meanwhile does not count as the connections' memory. */
const COMPILING = 3;
const FEW = 4;
/** Connections that are open before memory is read for the first time: what the first ones alone cost is not theirs. */
const OPEN_BEFORE = 100;

export interface Turn {
  readonly numbers: Numbers;
  readonly samples: Samples;
}

/** @throws {Error} when it cannot be started, or forwards nothing. */
export async function takeTurn(
  contender: Contender,
  generator: Generator,
  directory: string,
  settings: Settings,
): Promise<Turn> {
  const own = join(directory, contender.name);
  mkdirSync(own);
  try {
    const place = { port: await freePort(), originPort: generator.originPort, directory: own };
    const command = contender.prepare(place);
    if (command === undefined) return await measure(contender, undefined, generator.originPort, generator, settings);
    const startedAt = performance.now();
    const proxy = new ProxyProcess(command, PROXY_CORE, own);
    let stopPolling = (): void => {};
    try {
      await firstRouted(proxy, generator, place);
      const start = performance.now() - startedAt;
      if (contender.polled !== undefined) stopPolling = pollLikeThePage(contender.polled(place));
      const turn = await measure(contender, proxy, place.port, generator, settings);
      return { ...turn, numbers: { ...turn.numbers, start } };
    } finally {
      stopPolling();
      await proxy.stop();
    }
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

async function firstRouted(proxy: ProxyProcess, generator: Generator, { port }: Place): Promise<void> {
  const end = performance.now() + START_LIMIT * 1000;
  // In short pieces, because the generator does not see the proxy end.
  while (!(await generator.first(port, 0.2))) {
    if (proxy.hasEnded) throw new Error(proxy.lastLine);
    if (performance.now() > end) throw new Error(`nothing came through within ${START_LIMIT} s`);
  }
}

async function measure(
  { loads }: Contender,
  proxy: ProxyProcess | undefined,
  port: number,
  generator: Generator,
  { warmUp, seconds, idle }: Settings,
): Promise<Turn> {
  const samples: Samples = {};
  const cores = [PROXY_CORE, GENERATOR_CORE];
  // Memory first: afterwards the free lists that many connections filled would hide what one needs.
  const memory = proxy !== undefined && loads.length > 1 ? await idleKib(proxy, port, generator, idle) : undefined;
  for (const name of loads) {
    const { load, parallel } = LOADS[name];
    const pids = proxy?.pids() ?? [];
    samples[name] = await generator.measure({ load, port, parallel, warmUp, seconds, pids, cores });
    if (proxy?.hasEnded) throw new Error(`under the load "${name}": ${proxy.lastLine}`);
  }
  const numbers = numbersOf(samples, proxy !== undefined);
  return { numbers: memory === undefined ? numbers : { ...numbers, idle: memory }, samples };
}

/** KiB of memory that one more idle connection takes. */
async function idleKib(proxy: ProxyProcess, port: number, generator: Generator, connections: number): Promise<number> {
  const pids = proxy.pids();
  const cores = [PROXY_CORE, GENERATOR_CORE];
  await generator.measure({ load: "connections", port, parallel: FEW, warmUp: 0, seconds: COMPILING, pids, cores });
  await generator.hold(port, OPEN_BEFORE);
  await sleep(REST);
  const before = pssBytes(proxy.pids());
  await generator.hold(port, OPEN_BEFORE + connections);
  await sleep(REST);
  const after = pssBytes(proxy.pids());
  await generator.release();
  await sleep(REST);
  return (after - before) / 1024 / connections;
}

/** Below the range that outgoing connections take their ports from, so that none is in the way. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.on("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
