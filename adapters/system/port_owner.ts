/**
 * Which process listens on a port, as far as this one may see.
 *
 * Owns: the way from a socket's inode to its process in /proc (proc(5)). Linux only; without root, one's own processes only.
 */

import { readdir, readFile, readlink } from "node:fs/promises";
import { type Endpoint, sameEndpoint } from "../../src/address.ts";
import type { PortOwner } from "../../src/system.ts";
import { listeningSockets } from "./proc_sockets.ts";

/** Characters of a command line that are kept. */
const LONGEST = 300;

/** Undefined: nobody listens there, or it cannot be seen who. */
export async function portOwner(endpoint: Endpoint): Promise<PortOwner | undefined> {
  const inodes = await inodesOf(endpoint);
  if (inodes.size === 0) return undefined;
  for (const process of await namesIn("/proc")) {
    if (!/^[0-9]+$/.test(process)) continue;
    if (await holds(process, inodes)) return { process: Number(process), command: await commandOf(process) };
  }
  return undefined;
}

/** A socket on every address has the port of each of them. */
async function inodesOf(endpoint: Endpoint): Promise<ReadonlySet<string>> {
  const [tcp, tcp6] = await Promise.all([text("/proc/self/net/tcp"), text("/proc/self/net/tcp6")]);
  const found = [...listeningSockets({ tcp, tcp6, unix: "" })].filter(([, open]) => clash(open, endpoint));
  return new Set(found.map(([inode]) => inode));
}

function clash(open: Endpoint, wanted: Endpoint): boolean {
  if (open.kind !== "tcp" || wanted.kind !== "tcp" || open.port !== wanted.port) return false;
  return sameEndpoint(open, wanted) || [open.ip, wanted.ip].some((ip) => ip === "0.0.0.0" || ip === "::");
}

async function holds(process: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${process}/fd`;
  for (const descriptor of await namesIn(folder)) {
    const link = await readlink(`${folder}/${descriptor}`).catch(() => "");
    if (inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? "")) return true;
  }
  return false;
}

/** Words as the process was started with; foreign text. */
async function commandOf(process: string): Promise<string> {
  return (await text(`/proc/${process}/cmdline`)).replaceAll("\0", " ").trim().slice(0, LONGEST);
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function text(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
