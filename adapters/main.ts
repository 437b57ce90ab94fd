#!/usr/bin/env node
/**
 * The program: gives the command line its runtime. Started again in a thread, it is a worker or a loader.
 *
 * Owns: nothing but the putting together; the same file starts on Node, Deno and Bun.
 */

import process from "node:process";
import { runCli } from "../src/cli/cli.ts";
import { createHost } from "./host.ts";
import { selectAdapter } from "./select.ts";
import { isMainThread, serveAsThread, startThread } from "./worker.ts";

if (isMainThread) {
  const code = await runCli(process.argv.slice(2), {
    host: createHost({ startWorker: (events, role) => startThread(import.meta.url, events, role) }),
    selectAdapter,
    loadDemo: async () => (await import("./demo/demo.ts")).loadDemo(),
  });
  // What an adapter could not give up (Bun's connects) must not keep a finished program alive.
  process.exit(code);
} else {
  await serveAsThread();
}
