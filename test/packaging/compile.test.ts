/** One binary, made by Bun and by Deno, that needs no runtime on the machine. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { ROOT } from "../runner/suites.ts";
import { assertWorks, inEmptyDirectory, runScript, runtimesUnderTest } from "./program.ts";

/** No PATH to find a runtime in, no HOME to find a cache in. */
const BARE = { PATH: "/nonexistent", HOME: "/nonexistent" };

/** What Deno says when it cannot fetch `denort`, the runtime that it puts into a binary. */
const NO_DENORT = /Setting up base binary|denort|error sending request|download/i;

describe("one binary", () => {
  const runtimes = runtimesUnderTest();

  test("bun build --compile", { skip: !runtimes.includes("bun") && "bun was not asked for" }, async () => {
    const built = await runScript("compile");
    assert.equal(built.status, 0, `${built.stdout}${built.stderr}`);
    await inEmptyDirectory((cwd) => assertWorks([join(ROOT, "dist/certless")], "bun", { cwd, env: BARE }));
  });

  test("deno compile", { skip: !runtimes.includes("deno") && "deno was not asked for" }, async (t: TestContext) => {
    const built = await runScript("compile:deno");
    if (built.status !== 0 && NO_DENORT.test(built.stderr)) {
      const cause = /^\s*1: (.*?)(?: for url.*)?$/m.exec(built.stderr)?.[1] ?? "no answer";
      t.skip(`deno compile needs Deno's runtime binary (denort), which it downloads, and here cannot: ${cause}`);
      return;
    }
    assert.equal(built.status, 0, `${built.stdout}${built.stderr}`);
    await inEmptyDirectory((cwd) => assertWorks([join(ROOT, "dist/certless-deno")], "deno", { cwd, env: BARE }));
  });
});
