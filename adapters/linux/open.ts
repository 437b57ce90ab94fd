/**
 * The linux engine as the program uses it: whether it can run here, and how it serves a thread.
 */

import process from "node:process";
import { createLinuxAdapter, type LinuxEngine } from "./engine.ts";
import { NoLibcError, openLibc } from "./ffi.ts";
import { runForever } from "./turns.ts";

/** Why the linux adapter cannot run here, a phrase; undefined where it can. */
export async function whyNoLinux(): Promise<string | undefined> {
  try {
    await openLibc();
    return undefined;
  } catch (error) {
    if (error instanceof NoLibcError) return error.message;
    throw error;
  }
}

/** An engine for this thread, with the options that suit a proxy: clients speak first, and so do we to servers. */
export async function openLinuxEngine(): Promise<{
  readonly engine: LinuxEngine;
  serve(woken: () => void): Promise<void>;
}> {
  const fault = (error: unknown): void => {
    process.stderr.write(
      `certless: internal error, one socket ended: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
  };
  const engine = createLinuxAdapter(await openLibc(), { deferAccept: 1, speaksFirst: true, fault });
  return { engine, serve: (woken) => runForever(engine, woken, () => false) };
}
