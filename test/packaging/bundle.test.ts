/** `npm run bundle`: one file, alone in a directory, on each runtime. */

import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { ROOT } from "../runner/suites.ts";
import { assertWorks, inEmptyDirectory, runScript, runtimesUnderTest, start } from "./program.ts";

const BUNDLE = join(ROOT, "dist/certless.js");

describe("the bundled file", () => {
  before(async () => {
    const built = await runScript("bundle");
    assert.equal(built.status, 0, `${built.stdout}${built.stderr}`);
  });

  test("imports nothing but what the runtimes bring", () => {
    const text = readFileSync(BUNDLE, "utf8");
    const imported = [...text.matchAll(/^import\s[^;]*?"([^"]+)";$|\bimport\("([^"]+)"\)/gm)].map(
      (found) => found[1] ?? found[2] ?? "",
    );
    const own = imported.filter((specifier) => !/^(node|bun):/.test(specifier));
    assert.deepEqual(own, []);
  });

  test("starts by itself: its first line names Node, and there is one such line", () => {
    const lines = readFileSync(BUNDLE, "utf8").split("\n");
    assert.equal(lines[0], "#!/usr/bin/env node");
    assert.equal(lines.filter((line) => line.startsWith("#!")).length, 1);
  });

  for (const runtime of runtimesUnderTest()) {
    test(`says its version and routes on ${runtime}, far from its sources`, () =>
      inEmptyDirectory(async (cwd) => {
        copyFileSync(BUNDLE, join(cwd, "certless.js"));
        await assertWorks(start(runtime, join(cwd, "certless.js")), runtime, { cwd });
      }));
  }
});
