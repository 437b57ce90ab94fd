/**
 * The linux engine as the program uses it: whether it can run here, and how it serves a thread.
 */

import { createLinuxAdapter, LINUX_CAPABILITIES, type LinuxEngine } from "./engine.ts";
import { NoLibcError, openLibc } from "./ffi.ts";
import { runForever } from "./turns.ts";

/** What the main thread knows of the adapter that its workers use. */
export const LINUX = { name: "linux", capabilities: LINUX_CAPABILITIES };

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
export async function openLinuxEngine(warn: (message: string) => void): Promise<{
  readonly engine: LinuxEngine;
  serve(woken: () => void): Promise<void>;
}> {
  const engine = createLinuxAdapter(await openLibc(), {
    deferAccept: 1,
    speaksFirst: true,
    fault: (error) => warn(`internal error, one socket ended: ${error instanceof Error ? error.stack : String(error)}`),
  });
  return { engine, serve: (woken) => runForever(engine, woken, () => false) };
}
