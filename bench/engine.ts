/**
 * What the adapters cost by themselves: a proxy without rules, that reads a first message, connects and relays.
 *
 *   node bench/engine.ts [--only NAME,…] [--rounds N] [--seconds S]   measures, and prints a table
 *   RUNTIME bench/engine.ts serve ADAPTER PORT ORIGIN_PORT             is such a proxy
 *
 * Owns: that proxy and the table. `npm run bench` measures the program that users run.
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createLinuxAdapter } from "../adapters/linux/engine.ts";
import { openLibc } from "../adapters/linux/ffi.ts";
import { runForever } from "../adapters/linux/turns.ts";
import { selectAdapter } from "../adapters/select.ts";
import type { Adapter, Socket } from "../src/adapter.ts";
import type { Endpoint } from "../src/address.ts";
import { binary, RUNTIMES, type Runtime } from "../test/runner/suites.ts";
import { type Contender, contenders } from "./contenders.ts";
import { Generator } from "./generator.ts";
import { LOAD_NAMES, METRIC_NAMES, METRICS, type Metric, median } from "./metrics.ts";
import { killAll, ProxyProcess } from "./proxy_process.ts";
import { GENERATOR_CORE, PROXY_CORE, type Turn, takeTurn } from "./turn.ts";

// --- the proxy ---

async function serve([name, port, originPort]: readonly string[]): Promise<void> {
  const listenAt: Endpoint = { kind: "tcp", ip: "127.0.0.1", port: Number(port) };
  const origin: Endpoint = { kind: "tcp", ip: "127.0.0.1", port: Number(originPort) };
  if (name !== "linux") {
    const { adapter } = await selectAdapter(name ?? "auto");
    await adapter.listen(listenAt, (socket) => forward(adapter, socket, origin));
    return;
  }
  const engine = createLinuxAdapter(await openLibc(), { deferAccept: 1, speaksFirst: true });
  await engine.adapter.listen(listenAt, (socket) => forward(engine.adapter, socket, origin));
  await runForever(
    engine,
    () => {},
    () => false,
  );
}

function forward(adapter: Adapter, client: Socket, origin: Endpoint): void {
  client.handlers = {
    received(bytes) {
      const head = bytes.slice();
      adapter.connect(origin, {
        connected: (server) => void adapter.relay(client, server, { head }, { relayDone() {} }),
        failed: () => client.destroy(),
      });
    },
    ended: () => client.destroy(),
    closed: () => undefined,
  };
  client.read();
}

// --- the table ---

function proxy(adapter: string, runtime: Runtime): Contender {
  return {
    name: adapter === runtime ? runtime : `${adapter}@${runtime}`,
    kind: "certless",
    loads: LOAD_NAMES,
    prepare: ({ port, originPort }) => {
      const options = runtime === "deno" ? ["run", "-A", "--no-config", "--no-check"] : [];
      const args = [...options, import.meta.filename, "serve", adapter, String(port), String(originPort)];
      return { file: binary(runtime), args };
    },
  };
}

async function measure(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: "" },
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "0.6" },
    },
  });
  const peers = contenders({ hasWorkers: false, args: () => [] }).filter(({ kind }) => kind === "peer");
  const all = [...RUNTIMES.flatMap((runtime) => [proxy("linux", runtime), proxy(runtime, runtime)]), ...peers];
  const only = values.only.split(",").filter(Boolean);
  const chosen = all.filter(({ name }) => only.length === 0 || only.includes(name));
  spawnSync("taskset", ["-acp", String(GENERATOR_CORE), String(process.pid)]);
  const directory = mkdtempSync(join(tmpdir(), "certless-engine-"));
  const generator = await Generator.start(GENERATOR_CORE);
  process.on("exit", () => {
    killAll();
    generator.kill();
    rmSync(directory, { recursive: true, force: true });
  });
  const turns = new Map<string, Turn[]>(chosen.map(({ name }) => [name, []]));
  const settings = { warmUp: 0.3, seconds: Number(values.seconds), idle: 1000, logging: false, budget: 0 };
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const contender of chosen) {
      try {
        turns.get(contender.name)?.push(await takeTurn(contender, generator, directory, settings));
      } catch (error) {
        process.stderr.write(`${contender.name}: ${(error as Error).message}\n`);
      }
    }
  }
  const shown: readonly Metric[] = METRIC_NAMES.filter((name) => name !== "start");
  print(["", ...shown.map((name) => `${METRICS[name].label} ${METRICS[name].unit}`), "calls/conn"]);
  for (const contender of chosen) {
    const taken = turns.get(contender.name) ?? [];
    const numbers = shown.map((name) => median(taken.flatMap((turn) => turn.numbers[name] ?? [])));
    const calls = await callsPerConnection(contender, generator, directory).catch(() => undefined);
    const cells = numbers.map((value, index) => value?.toFixed(METRICS[shown[index] as Metric].digits) ?? "–");
    print([contender.name, ...cells, calls?.toFixed(1) ?? "–"]);
  }
  process.exit(0);
}

function print(cells: readonly string[]): void {
  process.stdout.write(
    `${cells.map((cell, index) => (index === 0 ? cell.padEnd(16) : cell.padStart(10))).join(" ")}\n`,
  );
}

/** System calls for each connection, from `strace -c`. Its own cost makes times meaningless, and only they are. */
async function callsPerConnection(contender: Contender, generator: Generator, directory: string): Promise<number> {
  const place = { port: 20_000 + (process.pid % 9000), originPort: generator.originPort, directory };
  const command = contender.prepare(place);
  if (command === undefined) return Number.NaN;
  const process_ = new ProxyProcess(command, PROXY_CORE, directory);
  try {
    while (!(await generator.first(place.port, 0.2))) if (process_.hasEnded) return Number.NaN;
    const file = join(directory, "strace.txt");
    const pids = process_.pids();
    const load = { load: "connections", port: place.port, parallel: 8, pids, cores: [] } as const;
    await generator.measure({ ...load, warmUp: 0, seconds: 0.5 });
    const tracer = spawn("strace", ["-c", "-f", "-o", file, ...pids.flatMap((pid) => ["-p", String(pid)])]);
    await sleep(500);
    const { count } = await generator.measure({ ...load, warmUp: 0, seconds: 2 });
    await sleep(100);
    tracer.kill("SIGINT");
    await new Promise((resolve) => tracer.on("exit", resolve));
    const table = readFileSync(file, "utf8");
    if (process.env.VERBOSE !== undefined) process.stderr.write(table);
    const total = /\s(\d+)(?:\s+\d+)? total/.exec(table)?.[1];
    return Number(total) / count;
  } finally {
    await process_.stop();
  }
}

const [role, ...rest] = process.argv.slice(2);
if (role === "serve") await serve(rest);
else await measure();
