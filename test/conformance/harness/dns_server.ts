/**
 * A name server with a handful of names (RFC 1035), for `resolver.servers`.
 */

import { Buffer } from "node:buffer";
import dgram from "node:dgram";
import type { Scope } from "./waiting.ts";

/** A name's addresses, or how the server behaves when asked for it. A name that is not listed does not exist. */
export type ZoneEntry = readonly string[] | "silent" | "servfail";

export interface DnsServer {
  /** `127.0.0.1:1234` */
  readonly address: string;
  /** Every question, `name TYPE`, oldest first. */
  readonly questions: string[];
}

const TYPES: ReadonlyMap<number, string> = new Map([
  [1, "A"],
  [28, "AAAA"],
]);

export async function startDnsServer(scope: Scope, zone: Readonly<Record<string, ZoneEntry>>): Promise<DnsServer> {
  const socket = dgram.createSocket("udp4");
  const questions: string[] = [];
  socket.on("message", (query, from) => {
    const { name, type, end } = readQuestion(query);
    questions.push(`${name} ${TYPES.get(type) ?? type}`);
    const entry = zone[name];
    if (entry === "silent") return;
    socket.send(answer(query, end, type, entry), from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, "127.0.0.1", resolve);
  });
  scope.after(() => {
    socket.close();
  });
  return { address: `127.0.0.1:${socket.address().port}`, questions };
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answer(query: Buffer, end: number, type: number, entry: Exclude<ZoneEntry, "silent"> | undefined): Buffer {
  const family = type === 28 ? ":" : ".";
  const addresses = Array.isArray(entry) && TYPES.has(type) ? entry.filter((ip) => ip.includes(family)) : [];
  const code = entry === undefined ? 3 : entry === "servfail" ? 2 : 0;
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  // Response, authoritative, recursion as asked.
  head.writeUInt16BE(0x8400 | (query.readUInt16BE(2) & 0x0100) | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  return Buffer.concat([head, query.subarray(12, end), ...addresses.map((ip) => resourceRecord(type, ip))]);
}

function resourceRecord(type: number, ip: string): Buffer {
  const data = type === 1 ? Buffer.from(ip.split(".").map(Number)) : ipv6Bytes(ip);
  const head = Buffer.alloc(12);
  // The name is the question's, at byte 12.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv6Bytes(ip: string): Buffer {
  const [left = "", right] = ip.split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const [before, behind] = [groups(left), groups(right ?? "")];
  const all = [...before, ...new Array<number>(8 - before.length - behind.length).fill(0), ...behind];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
