/**
 * The system that runs the process, for the core: its parts are in `system/`.
 *
 * Owns: the putting together, once libc has been looked for. No runtime's own sockets here.
 */

import { closeSync, readFileSync } from "node:fs";
import process from "node:process";
import type { System } from "../src/system.ts";
import { type Libc, NoLibcError, openLibc } from "./linux/ffi.ts";
import { becomeAccount, findAccount, giveFiles } from "./system/account.ts";
import { openNotifier } from "./system/notifier.ts";
import { duplicateBy, passedSockets, socketsOf } from "./system/passed_sockets.ts";
import { portOwner } from "./system/port_owner.ts";

/** The system this process runs on. */
export async function openSystem(): Promise<System> {
  const libc = await openLibc().catch((error): Libc | undefined => {
    if (error instanceof NoLibcError) return undefined;
    throw error;
  });
  return {
    passedSockets,
    socketsOf,
    portOwner,
    duplicates: libc !== undefined,
    duplicate(descriptor) {
      const copy = libc === undefined ? -1 : duplicateBy(libc, descriptor);
      return copy < 0 ? undefined : copy;
    },
    closeDescriptor(descriptor) {
      // By libc where it is there: Deno's own call knows no descriptor that is not its own.
      if (libc === undefined) closeSync(descriptor);
      else libc.close(descriptor);
    },
    migratesQueues,
    terminate,
    openNotifier,
    findAccount,
    get userId() {
      return process.getuid?.() ?? -1;
    },
    giveFiles,
    becomeAccount,
  };
}

function migratesQueues(): boolean {
  try {
    return readFileSync("/proc/sys/net/ipv4/tcp_migrate_req", "utf8").trim() === "1";
  } catch {
    return false;
  }
}

function terminate(other: number): void {
  try {
    process.kill(other, "SIGTERM");
  } catch (error) {
    throw new Error(error instanceof Error ? error.message : String(error));
  }
}
