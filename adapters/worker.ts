/**
 * The program's threads, by `node:worker_threads`, which all three runtimes have.
 *
 * Owns: both ends of a thread: starting the program's own file again in one, and serving in it. It must not know what the
 * messages mean.
 */

import process from "node:process";
import {
  isMainThread,
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
  workerData,
} from "node:worker_threads";
import type { Adapter } from "../src/adapter.ts";
import type { WorkerEvents, WorkerRole, WorkerThread } from "../src/host.ts";
import { DataPlane } from "../src/workers/data_plane.ts";
import { answerLoad, type LoadRequest } from "../src/workers/load_request.ts";
import type { FromWorker, StartMessage, ToWorker } from "../src/workers/protocol.ts";
import { createHost } from "./host.ts";
import { selectAdapter } from "./select.ts";

export { isMainThread };

class Thread<In> implements WorkerThread<In> {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(worker: Worker, port: MessagePort) {
    this.#worker = worker;
    this.#port = port;
  }

  post(message: In): void {
    this.#port.postMessage(message);
    this.#wake?.();
  }

  wakeBy(descriptor: number | undefined): void {
    this.#wake = undefined;
    if (descriptor !== undefined) void this.#prepareWake(descriptor);
  }

  /** By libc, like all of that adapter: Deno's own calls know no descriptor that is not theirs. */
  async #prepareWake(descriptor: number): Promise<void> {
    const [{ createWaker }, { openLibc }] = await Promise.all([import("./linux/engine.ts"), import("./linux/ffi.ts")]);
    const wake = createWaker(await openLibc());
    if (this.#ended) return;
    this.#wake = () => wake(descriptor);
    // For what was posted meanwhile.
    this.#wake();
  }

  /** The thread is gone, and its eventfd's number may soon be another descriptor's. */
  end(): void {
    this.#ended = true;
    this.#wake = undefined;
  }

  terminate(): void {
    this.#port.close();
    void this.#worker.terminate();
    // A thread that sleeps in a system call is not ended before it returns: Node would wait for it at exit.
    this.#wake?.();
  }
}

/**
 * MiB. Most of what a connection allocates is garbage a moment later: collected in small portions, it neither leaves the
 * processor's cache nor counts as memory that idle connections take. (V8's; Bun does not know it.)
 */
const YOUNG_GENERATION = 2;

/** Starts `program` in a thread; there it must call `serveAsThread`. */
export function startThread<In, Out>(
  program: string,
  events: WorkerEvents<Out>,
  role: WorkerRole = "data_plane",
): WorkerThread<In> {
  // A port of our own, since Deno's `parentPort` is none that `receiveMessageOnPort` takes.
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL(program), {
    workerData: { port: port2, role } satisfies ThreadData,
    transferList: [port2],
    // Nothing in a thread looks at it, and on Deno a copy would need the permission to read all of it.
    env: {},
    ...(role === "data_plane" && { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION } }),
  });
  const thread = new Thread<In>(worker, port1);
  let ended = false;
  const exited = (reason: string): void => {
    if (ended) return;
    ended = true;
    thread.end();
    events.exited(reason);
  };
  port1.on("message", (message: Out) => events.message(message));
  worker.on("error", (error: Error) => exited(error.message));
  worker.on("exit", (code) => exited(`exit code ${code}`));
  return thread;
}

/** What a thread is started with. */
interface ThreadData {
  readonly port: MessagePort;
  readonly role: WorkerRole;
}

/** The life of a thread, as whatever it was started for. */
export async function serveAsThread(): Promise<void> {
  const { port, role } = workerData as ThreadData;
  if (role === "loader") serveAsLoader(port);
  else await serveAsWorker(port);
}

/** Reads one file after another until it is terminated. */
function serveAsLoader(port: MessagePort): void {
  const host = createHost();
  port.on("message", (request: LoadRequest) => {
    void answerLoad(host, request).then((answer) => port.postMessage(answer));
  });
}

/** Waits for `start`, then serves until it is terminated. */
async function serveAsWorker(port: MessagePort): Promise<void> {
  const start = await firstMessage(port);
  const post = (message: FromWorker): void => port.postMessage(message);
  const warn = (message: string): void => post({ kind: "warn", message });
  const { adapter, wakeDescriptor, serve } = await threadAdapter(start.adapter, warn);
  const plane = new DataPlane({
    adapter,
    wakeDescriptor,
    post,
  });
  const receive = (message: Exclude<ToWorker, StartMessage>): void => plane.receive(message);
  // A fault that escapes everything ends this worker, and the control plane replaces it.
  process.on("unhandledRejection", (reason) => {
    throw reason;
  });
  // Nobody could wake it: it must not go to sleep in a system call.
  if (!(await plane.start(start))) return;
  // Also where `serve` drains the port: what comes in the turns of this thread's own loop, that loop takes.
  port.on("message", receive);
  await serve?.(() => drainPort(port, receive));
}

interface ThreadAdapter {
  readonly adapter: Adapter;
  readonly wakeDescriptor: number | undefined;
  /** Takes the thread over, and calls `woken` after each wake; absent where the thread's own loop serves. */
  readonly serve: ((woken: () => void) => Promise<void>) | undefined;
}

async function threadAdapter(name: string, warn: (message: string) => void): Promise<ThreadAdapter> {
  if (name !== "linux") {
    const { adapter } = await selectAdapter(name);
    return { adapter, wakeDescriptor: undefined, serve: undefined };
  }
  const { openLinuxEngine } = await import("./linux/open.ts");
  const { engine, serve } = await openLinuxEngine(warn);
  // The descriptors are the process's: a thread that dies would leave its port taken and its clients hanging.
  process.on("exit", () => engine.close());
  return { adapter: engine.adapter, wakeDescriptor: engine.wakeDescriptor, serve };
}

function drainPort<Message>(port: MessagePort, receive: (message: Message) => void): void {
  for (let item = receiveMessageOnPort(port); item !== undefined; item = receiveMessageOnPort(port)) {
    receive(item.message as Message);
  }
}

function firstMessage(port: MessagePort): Promise<StartMessage> {
  return new Promise((resolve) => port.once("message", resolve));
}
