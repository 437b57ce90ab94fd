/**
 * What a DNS server answered: RFC 1035 §4.1, aliases followed (§3.6.2), negative answers by RFC 2308.
 *
 * Owns: reading a message as the answer to one question. It must not believe more than was asked: a record of
 * another name, type or class is passed over.
 */

import { formatIp } from "../address.ts";
import { Reader } from "../bytes.ts";
import type { BindingRecord, ServiceRecord } from "../host.ts";
import { readName, STRANGE_NAME } from "./dns_name.ts";
import { INTERNET, type QuestionType, RECORD_TYPES } from "./dns_query.ts";
import { readServiceBinding } from "./service_binding.ts";

/** What was asked, to be found again in the answer. */
export interface Question {
  readonly id: number;
  readonly name: string;
  readonly type: QuestionType;
}

export type DnsAnswer =
  /** `ttl` in seconds: of all that led here, the shortest. */
  | {
      readonly kind: "records";
      readonly ttl: number;
      readonly ips: string[];
      readonly services: ServiceRecord[];
      /** Only of HTTPS. */
      readonly bindings?: BindingRecord[];
    }
  /** There is no such name, or it has nothing of that type. `ttl` in seconds, where the server says how long to believe it. */
  | { readonly kind: "none"; readonly nameExists: boolean; readonly ttl: number | undefined }
  /** It did not fit: ask again over TCP. */
  | { readonly kind: "truncated" }
  /** The server cannot or will not answer: `ESERVFAIL`, `EREFUSED`, … */
  | { readonly kind: "failed"; readonly code: string };

const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const TRUNCATED = 0x0200;
const NO_SUCH_NAME = 3;
const FAILURES: Readonly<Record<number, string>> = { 1: "EFORMERR", 2: "ESERVFAIL", 4: "ENOTIMP", 5: "EREFUSED" };
/** Aliases in one chain; a longer one is a mistake or a trap. */
const MAX_ALIASES = 16;
/** Records that are looked at in one message. */
const MAX_RECORDS = 1000;

interface DnsRecord {
  readonly name: string;
  readonly type: number;
  readonly ttl: number;
  /** Where its data is in the message. */
  readonly start: number;
  readonly end: number;
}

/** Reads `message`; undefined where it is no answer to `question`: then the right one may still come. */
export function readDnsAnswer(message: Uint8Array, question: Question): DnsAnswer | undefined {
  const reader = new Reader(message);
  const id = reader.uint16();
  const flags = reader.uint16();
  const questions = reader.uint16();
  const counts = [reader.uint16(), reader.uint16()] as const;
  reader.skip(2);
  if (reader.failed || id !== question.id || (flags & (RESPONSE | OPCODE)) !== RESPONSE) return undefined;
  const code = flags & 0x000f;
  // A server that could not read the question may leave it out (RFC 1035 §4.1.1).
  if (questions === 0 && FAILURES[code] !== undefined) return { kind: "failed", code: FAILURES[code] };
  if (questions !== 1 || readName(reader, message) !== question.name) return undefined;
  if (reader.uint16() !== RECORD_TYPES[question.type] || reader.uint16() !== INTERNET || reader.failed)
    return undefined;
  if ((flags & TRUNCATED) !== 0) return { kind: "truncated" };
  if (code !== 0 && code !== NO_SUCH_NAME) return { kind: "failed", code: FAILURES[code] ?? "EBADRESP" };
  const answers = readRecords(reader, message, counts[0]);
  const authorities = answers && readRecords(reader, message, counts[1]);
  if (authorities === undefined) return { kind: "failed", code: "EBADRESP" };
  return follow(message, question, answers!, authorities, code === NO_SUCH_NAME);
}

function readRecords(reader: Reader, message: Uint8Array, count: number): DnsRecord[] | undefined {
  if (count > MAX_RECORDS) return undefined;
  const records: DnsRecord[] = [];
  for (let index = 0; index < count; index++) {
    const name = readName(reader, message);
    const type = reader.uint16();
    const inInternet = reader.uint16() === INTERNET;
    const ttl = reader.uint32();
    const length = reader.uint16();
    const start = reader.position;
    reader.skip(length);
    if (name === undefined || reader.failed) return undefined;
    // RFC 2181 §8: with the highest bit set it counts as 0.
    if (inInternet) records.push({ name, type, ttl: ttl > 0x7fffffff ? 0 : ttl, start, end: start + length });
  }
  return records;
}

/** From the question's name along aliases to the records that were asked for. */
function follow(
  message: Uint8Array,
  { name: asked, type }: Question,
  answers: readonly DnsRecord[],
  authorities: readonly DnsRecord[],
  noSuchName: boolean,
): DnsAnswer {
  let name = asked;
  let ttl = Infinity;
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
    const found = answers.filter((record) => record.name === name && record.type === RECORD_TYPES[type]);
    if (found.length > 0) return records(message, type, found, ttl);
    const alias = answers.find((record) => record.name === name && record.type === RECORD_TYPES.CNAME);
    if (alias === undefined) return { kind: "none", nameExists: !noSuchName, ttl: negativeTtl(message, authorities) };
    const target = readName(new Reader(message, alias.start, alias.end), message);
    if (target === undefined || target === STRANGE_NAME) break;
    name = target;
    ttl = Math.min(ttl, alias.ttl);
  }
  return { kind: "failed", code: "EBADRESP" };
}

function records(message: Uint8Array, type: QuestionType, found: readonly DnsRecord[], aliasTtl: number): DnsAnswer {
  const ttl = found.reduce((least, record) => Math.min(least, record.ttl), aliasTtl);
  const ips: string[] = [];
  const services: ServiceRecord[] = [];
  const bindings: BindingRecord[] = [];
  for (const record of found) {
    const reader = new Reader(message, record.start, record.end);
    if (type === "HTTPS") {
      const binding = readServiceBinding(reader, message);
      if (binding !== undefined) bindings.push(binding);
    } else if (type === "SRV") {
      const service = readService(reader, message);
      if (service !== undefined) services.push(service);
    } else if (reader.remaining === (type === "A" ? 4 : 16)) ips.push(formatIp(reader.take(reader.remaining)));
  }
  if (ips.length + services.length + bindings.length === 0) return { kind: "failed", code: "EBADRESP" };
  return { kind: "records", ttl, ips: [...new Set(ips)], services, ...(type === "HTTPS" && { bindings }) };
}

function readService(reader: Reader, message: Uint8Array): ServiceRecord | undefined {
  const [priority, weight, port] = [reader.uint16(), reader.uint16(), reader.uint16()];
  const target = readName(reader, message);
  if (target === undefined || target === STRANGE_NAME || reader.failed) return undefined;
  return { priority, weight, port, target };
}

/** RFC 2308 §5: the lesser of the SOA record's own TTL and its MINIMUM field. */
function negativeTtl(message: Uint8Array, authorities: readonly DnsRecord[]): number | undefined {
  const authority = authorities.find(({ type }) => type === RECORD_TYPES.SOA);
  if (authority === undefined) return undefined;
  const reader = new Reader(message, authority.start, authority.end);
  readName(reader, message);
  readName(reader, message);
  reader.skip(16);
  const minimum = reader.uint32();
  return reader.failed ? undefined : Math.min(authority.ttl, minimum);
}
