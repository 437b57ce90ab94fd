/**
 * Loaded into every test process before its tests: writes down, from inside, which runtime this is.
 *
 * Owns: the lines of the file named by CERTLESS_TEST_WITNESS, read by `test/run.ts`. It must not
 * change how a test runs.
 */

import { appendFileSync } from "node:fs";
import process from "node:process";

/** One line of the witness file. */
export type Testimony =
  | { readonly kind: "runtime"; readonly name: string; readonly version: string }
  | { readonly kind: "fault"; readonly message: string };

interface RuntimeGlobals {
  readonly Deno?: { readonly version: { readonly deno: string } };
  readonly Bun?: { readonly version: string };
}

function runtime(): { name: string; version: string } {
  const { Deno, Bun } = globalThis as RuntimeGlobals;
  if (Deno !== undefined) return { name: "deno", version: Deno.version.deno };
  if (Bun !== undefined) return { name: "bun", version: Bun.version };
  return { name: "node", version: process.versions.node };
}

const file = process.env.CERTLESS_TEST_WITNESS;
if (file !== undefined) {
  const testify = (line: Testimony): void => appendFileSync(file, `${JSON.stringify(line)}\n`);
  const { name, version } = runtime();
  testify({ kind: "runtime", name, version });
  // Deno with node:test lets an error that escapes a test, or a module that fails to load half way, pass
  // as green; Node and Bun report both themselves.
  if (name === "deno") {
    const events = globalThis as unknown as EventTarget;
    const listen = (type: string): void =>
      events.addEventListener(type, (event) => {
        const { error, reason } = event as Event & { error?: unknown; reason?: unknown };
        const thrown = error ?? reason;
        testify({
          kind: "fault",
          message: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
        });
      });
    listen("error");
    listen("unhandledrejection");
  }
}
