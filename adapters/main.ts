#!/usr/bin/env node
/**
 * The program: gives the command line its runtime.
 *
 * Owns: nothing but the putting together; the same file starts on Node, Deno and Bun.
 */

import process from "node:process";
import { runCli } from "../src/cli/cli.ts";
import { createHost } from "./host.ts";
import { selectAdapter } from "./select.ts";

const host = createHost();
const exitCode = await runCli(process.argv.slice(2), {
  host,
  selectAdapter,
  loadDemo: async () => (await import("./demo/demo.ts")).loadDemo(),
});
process.exitCode = exitCode;
