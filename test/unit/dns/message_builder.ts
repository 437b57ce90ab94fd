/** Builds DNS answers, good and broken ones, for tests. */

import { concat, fromText } from "../three_ways.ts";
import { uint16, vector8 } from "../tls/hello_builder.ts";

export const TYPE = { A: 1, CNAME: 5, SOA: 6, AAAA: 28, SRV: 33 } as const;

/** `a.test` as labels; text in `@` is a pointer to that place. */
export function labels(name: string): Uint8Array {
  if (name.startsWith("@")) return uint16(0xc000 | Number(name.slice(1)));
  const parts = name === "" ? [] : name.split(".").map((label) => vector8(fromText(label)));
  return concat(...parts, Uint8Array.of(0));
}

export interface RecordParts {
  readonly name?: string;
  readonly type: number;
  readonly class?: number;
  readonly ttl?: number;
  readonly data: Uint8Array;
}

export function record({ name = "@12", type, class: kind = 1, ttl = 60, data }: RecordParts): Uint8Array {
  const time = concat(uint16(Math.floor(ttl / 65536)), uint16(ttl % 65536));
  return concat(labels(name), uint16(type), uint16(kind), time, uint16(data.length), data);
}

export interface AnswerParts {
  readonly id?: number;
  readonly flags?: number;
  readonly name?: string;
  readonly type?: number;
  readonly answers?: readonly Uint8Array[];
  readonly authorities?: readonly Uint8Array[];
  readonly noQuestion?: boolean;
}

/** 0x8180: an answer, recursion asked for and available; the last four bits are the code. */
export function answer(parts: AnswerParts = {}): Uint8Array {
  const { id = 7, flags = 0x8180, name = "a.test", type = TYPE.A, answers = [], authorities = [] } = parts;
  const question = parts.noQuestion ? new Uint8Array(0) : concat(labels(name), uint16(type), uint16(1));
  const counts = concat(
    uint16(parts.noQuestion ? 0 : 1),
    uint16(answers.length),
    uint16(authorities.length),
    uint16(0),
  );
  return concat(uint16(id), uint16(flags), counts, question, ...answers, ...authorities);
}

export function soa(ttl: number, minimum: number): Uint8Array {
  const numbers = concat(new Uint8Array(16), uint16(Math.floor(minimum / 65536)), uint16(minimum % 65536));
  return record({ name: "test", type: TYPE.SOA, ttl, data: concat(labels("ns.test"), labels("root.test"), numbers) });
}

export function srv(priority: number, weight: number, port: number, target: string): Uint8Array {
  return record({ type: TYPE.SRV, data: concat(uint16(priority), uint16(weight), uint16(port), labels(target)) });
}
