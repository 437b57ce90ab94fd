/**
 * Listening sockets that come from elsewhere: passed by the service manager, or taken from a process that is replaced.
 *
 * Owns: finding them and saying where they listen. It must not accept from them. Linux only.
 */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import type { Endpoint } from "../../src/address.ts";
import type { PassedSocket } from "../../src/system.ts";
import { type Libc, NoLibcError, openLibc } from "../linux/ffi.ts";
import { toIoError } from "../shared/io_error.ts";
import { dropVariable, variable } from "./environment.ts";
import { listeningSockets } from "./proc_sockets.ts";

/** The first descriptor that is passed: sd_listen_fds(3). */
const FIRST = 3;
/** The same on x86-64 and arm64. */
const SYS_PIDFD_OPEN = 434;
const SYS_PIDFD_GETFD = 438;
const F_DUPFD_CLOEXEC = 1030;

function table(name: string): string {
  try {
    return readFileSync(`/proc/self/net/${name}`, "utf8");
  } catch {
    return "";
  }
}

function listening(): Map<string, Endpoint> {
  return listeningSockets({ tcp: table("tcp"), tcp6: table("tcp6"), unix: table("unix") });
}

function inodeOf(link: string): string | undefined {
  return /^socket:\[(\d+)\]$/.exec(link)?.[1];
}

/** How many sockets are passed to this very process; nobody else is to take them for its own. */
function countPassed(): number {
  const owner = variable("LISTEN_PID");
  const count = variable("LISTEN_FDS");
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) if (count !== undefined) dropVariable(name);
  if (count === undefined || !/^[0-9]{1,4}$/.test(count)) return 0;
  return owner === String(process.pid) ? Number(count) : 0;
}

/** @throws {Error} */
export function passedSockets(): PassedSocket[] {
  const count = countPassed();
  if (count === 0) return [];
  const known = listening();
  return Array.from({ length: count }, (_, index) => {
    const descriptor = FIRST + index;
    const endpoint = known.get(inodeAt(`/proc/self/fd/${descriptor}`) ?? "");
    if (endpoint === undefined) {
      throw new Error(
        `Cannot use the passed descriptor ${descriptor}: it is no listening stream socket; ` +
          "the socket unit needs ListenStream= and Accept=no",
      );
    }
    return { endpoint, descriptor };
  });
}

function inodeAt(path: string): string | undefined {
  try {
    return inodeOf(readlinkSync(path));
  } catch {
    return undefined;
  }
}

/** @throws {Error} as the rejection. */
export async function socketsOf(other: number): Promise<{ sockets: PassedSocket[]; refusal?: string }> {
  const folder = `/proc/${other}/fd`;
  let numbers: number[];
  try {
    numbers = readdirSync(folder).map(Number);
  } catch (error) {
    const { code } = toIoError(error);
    throw new Error(code === "ENOENT" ? "there is no such process" : "it belongs to another user");
  }
  const known = listening();
  const found = new Map<string, { readonly endpoint: Endpoint; readonly number: number }>();
  for (const number of numbers) {
    const inode = inodeAt(`${folder}/${number}`) ?? "";
    const endpoint = known.get(inode);
    // Its own duplicates of one socket are one.
    if (endpoint !== undefined) found.set(inode, { endpoint, number });
  }
  return await take(other, [...found.values()]);
}

async function take(
  other: number,
  found: readonly { readonly endpoint: Endpoint; readonly number: number }[],
): Promise<{ sockets: PassedSocket[]; refusal?: string }> {
  const seen = found.map(({ endpoint }) => ({ endpoint, descriptor: undefined }));
  const libc = await libcOrReason();
  if (typeof libc === "string") return { sockets: seen, refusal: libc };
  const handle = libc.syscall(SYS_PIDFD_OPEN, other, 0, 0);
  const sockets: PassedSocket[] = [];
  for (const { endpoint, number } of found) {
    const descriptor = libc.syscall(SYS_PIDFD_GETFD, handle, number, 0);
    if (descriptor < 0) break;
    sockets.push({ endpoint, descriptor });
  }
  if (handle >= 0) libc.close(handle);
  if (sockets.length === found.length) return { sockets };
  for (const { descriptor } of sockets) libc.close(descriptor!);
  return { sockets: seen, refusal: "the system does not let this process duplicate its descriptors (ptrace(2))" };
}

async function libcOrReason(): Promise<Libc | string> {
  try {
    return await openLibc();
  } catch (error) {
    if (error instanceof NoLibcError) return error.message;
    throw error;
  }
}

/** Another descriptor of the same socket, or -1. */
export function duplicateBy(libc: Libc, descriptor: number): number {
  return libc.fcntl(descriptor, F_DUPFD_CLOEXEC, FIRST);
}
