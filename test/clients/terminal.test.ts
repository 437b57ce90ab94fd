/** `certless top` in a terminal of util-linux's script: it gives the terminal back, also when it is told to end. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { COMBINATIONS, commandOf } from "../conformance/harness/combinations.ts";
import { temporaryDirectory } from "../conformance/harness/origin.ts";
import { startProxy } from "../conformance/harness/proxy.ts";
import { until } from "../conformance/harness/waiting.ts";
import { needsPrograms } from "./tools.ts";

const MAIN = new URL("../../adapters/main.ts", import.meta.url).pathname;
/** The second buffer and no cursor; the cursor and the first buffer. */
const ENTERED = "\u001b[?1049h\u001b[?25l";
const LEFT = "\u001b[?25h\u001b[?1049l";

const ROWS = COMBINATIONS.filter(({ runtime, adapter }) => runtime === adapter);

for (const combination of ROWS) {
  describe(combination.name, needsPrograms("script"), () => {
    for (const signal of ["SIGTERM", "SIGHUP"] as const) {
      test(`top gives the terminal back at ${signal}`, async (t) => {
        const admin = { address: "127.0.0.1:0" };
        const config = { listeners: [{ address: "127.0.0.1:0" }], routes: { "a.example.test": "192.0.2.1" }, admin };
        const proxy = await startProxy(t, combination, { config });
        const [, address] = await proxy.waitForStderr(/^certless: admin interface: (.*)$/m);
        const file = join(temporaryDirectory(t), "pid");
        const [program, args] = commandOf(combination, MAIN);
        const line = [program, ...args, "top", "--admin", `http://${address}`].map((word) => `'${word}'`).join(" ");
        const terminal = spawn("script", ["-qec", `echo $$ > '${file}'; exec ${line}`, "/dev/null"]);
        let said = "";
        terminal.stdout.on("data", (bytes) => {
          said += bytes;
        });
        const ended = new Promise((resolve) => terminal.once("close", resolve));
        t.after(() => terminal.kill());
        await until("a picture", () => (said.includes(ENTERED) && said.includes("all is well") ? true : undefined));
        process.kill(Number(readFileSync(file, "utf8")), signal);
        await ended;
        assert.ok(said.includes(LEFT), JSON.stringify(said.slice(-200)));
      });
    }
  });
}
