/**
 * A name server with a handful of names (RFC 1035), for `resolver.servers`.
 */

import { Buffer } from "node:buffer";
import dgram from "node:dgram";
import type { Scope } from "./waiting.ts";

/** A name's addresses, or how the server behaves when asked for it. A name that is not listed does not exist. */
export type ZoneEntry = readonly string[] | ZoneRecords | "silent" | "servfail";

export interface ZoneRecords {
  readonly addresses?: readonly string[];
  /** `priority weight port target`. */
  readonly services?: readonly string[];
  /** Seconds; 60 if absent. */
  readonly ttl?: number;
}

export interface DnsServer {
  /** `127.0.0.1:1234` */
  readonly address: string;
  /** Every question, `name TYPE`, oldest first. */
  readonly questions: string[];
}

const TYPES: ReadonlyMap<number, string> = new Map([
  [1, "A"],
  [28, "AAAA"],
  [33, "SRV"],
]);

/** @param zone may be changed meanwhile. */
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
  const found: ZoneRecords = typeof entry !== "object" ? {} : "length" in entry ? { addresses: entry } : entry;
  const records = dataOf(found, type).map((data) => resourceRecord(type, found.ttl ?? 60, data));
  const code = entry === undefined ? 3 : entry === "servfail" ? 2 : 0;
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  // Response, authoritative, recursion as asked.
  head.writeUInt16BE(0x8400 | (query.readUInt16BE(2) & 0x0100) | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, query.subarray(12, end), ...records]);
}

function dataOf({ addresses = [], services = [] }: ZoneRecords, type: number): Buffer[] {
  switch (TYPES.get(type)) {
    case "A":
      return addresses.filter((ip) => !ip.includes(":")).map((ip) => Buffer.from(ip.split(".").map(Number)));
    case "AAAA":
      return addresses.filter((ip) => ip.includes(":")).map(ipv6Bytes);
    case "SRV":
      return services.map(serviceData);
    default:
      return [];
  }
}

function serviceData(text: string): Buffer {
  const [priority = 0, weight = 0, port = 0] = text.split(" ", 3).map(Number);
  const labels = (text.split(" ")[3] ?? "").split(".").map((label) => Buffer.from(`\0${label}`, "latin1"));
  for (const label of labels) label[0] = label.length - 1;
  const numbers = Buffer.alloc(6);
  [priority, weight, port].forEach((number, index) => {
    numbers.writeUInt16BE(number, 2 * index);
  });
  return Buffer.concat([numbers, ...labels, Buffer.alloc(1)]);
}

function resourceRecord(type: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  // The name is the question's, at byte 12.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
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
