/** What tests of the numbers share: records, and a way to read the text format back. */

import assert from "node:assert/strict";
import { type ConnectionRecord, newRecord } from "../../../src/connection_record.ts";

const PEER = { kind: "tcp", ip: "192.0.2.1", port: 5 } as const;

export const LISTENER = "10.0.0.5:443";

export function record(changes: Partial<ConnectionRecord> = {}): ConnectionRecord {
  const { listener = LISTENER } = changes;
  return { ...newRecord(1, 0, listener, "tls", PEER, PEER), reason: "ok", ...changes };
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)$/;

/** Reads the format 0.0.4; every line that is no comment is a sample, and no series comes twice. */
export function readExposition(text: string): Sample[] {
  assert.ok(text.endsWith("\n"));
  const seen = new Set<string>();
  return text
    .slice(0, -1)
    .split("\n")
    .filter((line) => !/^# (HELP|TYPE) \S+ \S/.test(line))
    .map((line) => {
      const [, name = "", inside = "", value = ""] = LINE.exec(line) ?? assert.fail(`not a sample: ${line}`);
      assert.ok(!seen.has(name + inside), `twice: ${line}`);
      seen.add(name + inside);
      const labels = [...inside.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(
        ([, label = "", raw = ""]) => [label, raw.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c))] as const,
      );
      return { name, labels: Object.fromEntries(labels), value: value === "+Inf" ? Infinity : Number(value) };
    });
}

/** The sum of a metric's samples whose labels have those values. */
export function sumOf(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels);
  return samples
    .filter((sample) => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
