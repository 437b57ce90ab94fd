/**
 * Listening sockets as Linux lists them in /proc/net: which inode listens where.
 *
 * Owns: the form of those tables (proc(5)). Pure: it is given their texts. All numbers in them are little-endian words,
 * as on both processors that we run on.
 */

import { type Endpoint, formatIp } from "../../src/address.ts";

const LISTEN = "0A";
/** `__SO_ACCEPTCON` in the column "Flags" of /proc/net/unix. */
const ACCEPTS = 0x10000;
const STREAM = "0001";

/** Texts of /proc/net/tcp, tcp6 and unix; empty for a table that is not there. */
export interface SocketTables {
  readonly tcp: string;
  readonly tcp6: string;
  readonly unix: string;
}

/** Where each listening stream socket listens, by inode. */
export function listeningSockets({ tcp, tcp6, unix }: SocketTables): Map<string, Endpoint> {
  const found = new Map<string, Endpoint>();
  for (const line of [...rows(tcp), ...rows(tcp6)]) readTcp(line, found);
  for (const line of rows(unix)) readUnix(line, found);
  return found;
}

function rows(text: string): string[] {
  return text.split("\n").slice(1);
}

function readTcp(line: string, into: Map<string, Endpoint>): void {
  const fields = line.trim().split(/\s+/);
  const [, local = "", , state] = fields;
  const inode = fields[9];
  const parts = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local);
  if (state !== LISTEN || inode === undefined || parts === null) return;
  into.set(inode, { kind: "tcp", ip: formatIp(addressBytes(parts[1]!)), port: Number.parseInt(parts[2]!, 16) });
}

function addressBytes(hex: string): Uint8Array {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  for (let at = 0; at < bytes.length; at += 4) bytes.subarray(at, at + 4).reverse();
  return bytes;
}

/** Num RefCount Protocol Flags Type St Inode Path; a path may hold spaces. */
function readUnix(line: string, into: Map<string, Endpoint>): void {
  const parts = /^[0-9a-f]+: \S+ \S+ ([0-9A-F]+) ([0-9A-F]+) \S+ +(\d+) (.+)$/i.exec(line);
  if (parts === null || parts[2] !== STREAM || (Number.parseInt(parts[1]!, 16) & ACCEPTS) === 0) return;
  into.set(parts[3]!, { kind: "unix", path: parts[4]! });
}
