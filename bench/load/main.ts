/**
 * The load generator's process: a request a line on standard input, an answer a line on standard output.
 *
 * Owns: the conversation. While a load runs, nothing else is heard; the bench waits.
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { LoadGenerator } from "./load_generator.ts";
import type { LoadAnswer, LoadRequest } from "./protocol.ts";

const generator = new LoadGenerator();

function answer(line: LoadAnswer): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const { bun, deno, node } = process.versions;
const runtime = bun !== undefined ? `bun ${bun}` : deno !== undefined ? `deno ${deno}` : `node ${node}`;
answer({ ready: true, originPort: generator.originPort, runtime });

const requests = createInterface({ input: process.stdin });
requests.on("line", (line) => {
  try {
    answer(generator.handle(JSON.parse(line) as LoadRequest));
  } catch (error) {
    answer({ error: error instanceof Error ? error.message : String(error) });
  }
});
// The bench has ended, however it did.
requests.on("close", () => process.exit(0));
