/** The checkout runs as it is: no build step, on each runtime. */

import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { describe, test } from "node:test";
import { ROOT } from "../runner/suites.ts";
import { assertWorks, run, runScript, runtimesUnderTest, start } from "./program.ts";

for (const runtime of runtimesUnderTest()) {
  describe(`${runtime} adapters/main.ts`, () => {
    const [file, ...args] = start(runtime, "adapters/main.ts");

    test("says its version and routes", () => assertWorks([file, ...args], runtime));

    test("accepts every example", async () => {
      const examples = globSync("examples/*.yaml", { cwd: ROOT });
      assert.ok(examples.length > 0, "there is no examples/*.yaml");
      for (const example of examples) {
        const checked = await run(file, [...args, "check", example]);
        const said = `${example}: ${checked.stdout}${checked.stderr}`;
        assert.match(checked.stdout, /is valid/, said);
        // Passwords are on the machine that it is for.
        const isForAnother = checked.status === 1 && /^Cannot read the password of /.test(checked.stderr);
        assert.ok(checked.status === 0 || isForAnother, said);
      }
    });
  });
}

test("npm start is the demo", async () => {
  const started = await runScript("start");
  assert.equal(started.status, 0, started.stderr);
  assert.match(started.stdout, /^certless demo/m);
});
