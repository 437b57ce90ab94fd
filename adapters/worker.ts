/**
 * Worker threads, by `node:worker_threads`, which all three runtimes have.
 *
 * Owns: both ends of a worker's thread: starting the program's own file again in a thread, and serving in it. It must
 * not know what the messages mean.
 */

import { writeSync } from "node:fs";
import process from "node:process";
import { isMainThread, type MessagePort, parentPort, Worker } from "node:worker_threads";
import type { WorkerEvents, WorkerThread } from "../src/host.ts";
import { DataPlane } from "../src/workers/data_plane.ts";
import type { FromWorker, StartMessage, ToWorker } from "../src/workers/protocol.ts";
import { createHost } from "./host.ts";
import { selectAdapter } from "./select.ts";

export { isMainThread };

/** An eventfd takes eight bytes, and adds them up. */
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

class Thread<In> implements WorkerThread<In> {
  readonly #worker: Worker;
  #wakeDescriptor: number | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  post(message: In): void {
    this.#worker.postMessage(message);
    if (this.#wakeDescriptor !== undefined) writeSync(this.#wakeDescriptor, ONE);
  }

  wakeBy(descriptor: number | undefined): void {
    this.#wakeDescriptor = descriptor;
  }

  terminate(): void {
    this.#wakeDescriptor = undefined;
    void this.#worker.terminate();
  }
}

/** Starts `program` in a thread; there it must call `serveAsWorker`. */
export function startThread<In, Out>(program: string, events: WorkerEvents<Out>): WorkerThread<In> {
  const worker = new Worker(new URL(program));
  const thread = new Thread<In>(worker);
  let ended = false;
  const exited = (reason: string): void => {
    if (ended) return;
    ended = true;
    thread.wakeBy(undefined);
    events.exited(reason);
  };
  worker.on("message", (message: Out) => events.message(message));
  worker.on("error", (error: Error) => exited(error.message));
  worker.on("exit", (code) => exited(`exit code ${code}`));
  return thread;
}

/** The life of a worker thread: waits for `start`, then serves until it is terminated. */
export async function serveAsWorker(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("Cannot serve as a worker: this is the main thread");
  const start = await firstMessage(port);
  const { adapter } = await selectAdapter(start.adapter);
  const host = createHost();
  const plane = new DataPlane({
    adapter,
    toAscii: (name) => host.domainToAscii(name),
    wakeDescriptor: undefined,
    post: (message: FromWorker) => port.postMessage(message),
  });
  port.on("message", (message: Exclude<ToWorker, StartMessage>) => plane.receive(message));
  // Signals are the main thread's; a fault that escapes everything ends this worker, and the control plane replaces it.
  process.on("unhandledRejection", (reason) => {
    throw reason;
  });
  await plane.start(start);
}

function firstMessage(port: MessagePort): Promise<StartMessage> {
  return new Promise((resolve) => port.once("message", resolve));
}
