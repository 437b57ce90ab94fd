/**
 * What a large configuration costs: how long its file takes to be read, what the route table takes of memory, and how long
 * a thread that carries connections stands still while it comes into force.
 *
 * `npm run bench:reload` runs it on Node and Bun; numbers of routes may follow, as in `node bench/reload.ts 10000`.
 */

import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { createHost } from "../adapters/host.ts";
import { runtimeName, selectAdapter } from "../adapters/select.ts";
import { startThread } from "../adapters/worker.ts";
import type { Config } from "../src/config/config.ts";
import { readConfigFile } from "../src/config_file.ts";
import { startProxy } from "../src/mod.ts";
import { createRouter } from "../src/proxy/listener_settings.ts";
import { runtime } from "./measure.ts";

const SIZES = [10_000, 100_000, 1_000_000];
const ROUNDS = 5;
const PROGRAM = new URL("../adapters/main.ts", import.meta.url).href;

/** What a thread tells of one configuration, in milliseconds. */
interface Opened {
  /** Until its routers were there. */
  readonly open: number;
  /** The first look-up, which decodes a route. */
  readonly first: number;
  /** The longest time between two turns of the thread's loop, taking the message included. */
  readonly gap: number;
}

/** Every route to an address of its own: nothing is stored once for several of them. */
function writeRoutes(path: string, count: number): void {
  const lines = Array.from(
    { length: count },
    (_, index) => `  host-${index}.example.test: 10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:443\n`,
  );
  writeFileSync(
    path,
    `listeners:\n  - address: 127.0.0.1:0\nlog: { access: false }\nroutes:\n${lines.join("")}  default: reject\n`,
  );
}

async function measureSize(count: number, path: string): Promise<void> {
  writeRoutes(path, count);
  const megabytes = (statSync(path).size / 1e6).toFixed(1);
  const cpu = process.cpuUsage();
  const began = performance.now();
  const read = await readConfigFile(createHost(), path);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  if (!("config" in read)) throw new Error("the file has faults");
  const { memory, size } = read.config.routes;
  const opened = await openInThread(read.config);
  process.stdout.write(
    [
      `${count} routes (${megabytes} MB)`,
      `  read in ${seconds.toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s of processor`,
      `  memory ${(memory.byteLength / size).toFixed(0)} bytes a route`,
      `  a worker opens them in ${spread(opened.map(({ open }) => open))}, the first look-up takes ${spread(opened.map(({ first }) => first))}`,
      `  a worker stands still for ${spread(opened.map(({ gap }) => gap))}`,
      `  one thread that serves and reloads stands still for ${spread(await reloadHere(read.config, path))}\n`,
    ].join("\n"),
  );
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return `${sorted[sorted.length >> 1]!.toFixed(2)} ms (${sorted.at(-1)!.toFixed(2)} at worst of ${sorted.length})`;
}

/** The whole program in this thread, whose file changes: the longest times between two turns of its loop. */
async function reloadHere(config: Config, path: string): Promise<number[]> {
  const host = createHost({ startWorker: (events, role) => startThread(PROGRAM, events, role) });
  const { adapter } = await selectAdapter(runtimeName());
  const proxy = await startProxy(config, { path, files: [path] }, { adapter, host });
  const gaps: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    appendFileSync(path, `  late-${round}.example.test: reject\n`);
    const watch = watchLoop();
    const { ok } = await proxy.reload();
    if (!ok) throw new Error("the reload failed");
    gaps.push(watch.stop());
  }
  await proxy.stop();
  return gaps;
}

/** Milliseconds that this thread has waited for a processor which other threads and programs had; 0 where nobody knows. */
function waited(): number {
  try {
    return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** Turns this thread's loop each millisecond, so that every pause shows; what it waited for a processor is no pause of ours. */
function watchLoop(): { stop(): number } {
  let [last, gap, isOn] = [performance.now() - waited(), 0, true];
  const turn = (): void => {
    const now = performance.now() - waited();
    gap = Math.max(gap, now - last);
    last = now;
    if (isOn) setTimeout(turn, 1);
  };
  setTimeout(turn, 1);
  return {
    stop() {
      isOn = false;
      return gap;
    },
  };
}

/** Sends it to a thread, `ROUNDS` times. */
async function openInThread(config: Config): Promise<Opened[]> {
  const worker = new Worker(new URL(import.meta.url));
  const answer = <T>(): Promise<T> => new Promise((resolve) => worker.once("message", resolve));
  await answer();
  const opened: Opened[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const next = answer<Opened>();
    worker.postMessage(config);
    opened.push(await next);
  }
  await worker.terminate();
  return opened;
}

/** The thread's side. */
function serve(port: NonNullable<typeof parentPort>): void {
  let watch = watchLoop();
  port.on("message", (config: Config) => {
    const began = performance.now();
    const routers = config.listeners.map(({ routes }) => createRouter(routes));
    const open = performance.now() - began;
    routers[0]?.match("host-7777.example.test");
    const first = performance.now() - began - open;
    setTimeout(() => {
      port.postMessage({ open, first, gap: watch.stop() } satisfies Opened);
      watch = watchLoop();
    }, 50);
  });
  setTimeout(() => {
    watch.stop();
    watch = watchLoop();
    port.postMessage("ready");
  }, 200);
}

if (isMainThread) {
  process.stdout.write(`${runtime()}\n`);
  const directory = mkdtempSync(join(tmpdir(), "certless-bench-"));
  try {
    const asked = process.argv.slice(2).map(Number);
    for (const count of asked.length > 0 ? asked : SIZES) await measureSize(count, join(directory, "routes.yaml"));
  } finally {
    rmSync(directory, { recursive: true });
  }
} else if (parentPort !== null) {
  serve(parentPort);
}
