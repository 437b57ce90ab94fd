/** Run as a process by the tests of the log sink: `log_program.ts MODE TARGET`. */

import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { createHost } from "../../adapters/host.ts";

const [, , mode, target = "stdout"] = process.argv;
const sink = createHost().openLog(target, (message) => process.stderr.write(message));

if (mode === "exit") {
  // Nothing is flushed or closed: the lines must come all the same.
  for (let i = 0; i < 1000; i++) sink.write(`line ${i}`);
  process.exit(3);
} else if (mode === "stuck") {
  // More than a pipe and the queue hold, while nobody reads.
  const line = "x".repeat(1000);
  for (let i = 0; i < 40_000; i++) sink.write(`${i} ${line}`);
  process.stderr.write(`dropped ${sink.dropped}\n`);
  await sink.flush();
  sink.write("recovered");
  await sink.close();
} else if (mode === "broken") {
  for (let i = 0; i < 20; i++) {
    sink.write("x".repeat(10_000));
    await delay(15);
  }
  await sink.close();
  process.exit(sink.dropped > 0 ? 4 : 5);
} else {
  // The sink's timer alone must not keep the process alive.
  sink.write("last");
}
