/**
 * What counting costs: for one connection that comes and ends, and for telling it to the control plane.
 *
 * `node bench/counting.ts`, and the same with the other runtimes.
 */

import process from "node:process";
import { newRecord } from "../src/connection_record.ts";
import { MergedNumbers } from "../src/metrics/merged_numbers.ts";
import { Tally } from "../src/metrics/tally.ts";
import { measure, report, runtime } from "./measure.ts";

const PEER = { kind: "tcp", ip: "192.0.2.1", port: 5 } as const;
const LISTENER = ["10.0.0.5", "443"].join(":");

process.stdout.write(`${runtime()}\n`);
const records = Array.from({ length: 64 }, (_, index) => ({
  ...newRecord(index, 0, LISTENER, "tls", PEER, PEER),
  serverName: `host-${index}.example.test`,
  route: `host-${index}.example.test`,
  reason: "ok" as const,
  connectTime: index,
  duration: 10 * index,
  bytesReceived: 1_000,
  bytesSent: 5_000,
}));

const tally = new Tally();
let turn = 0;
const next = (): (typeof records)[number] => {
  turn = (turn + 1) % records.length;
  return records[turn]!;
};
report(
  "count one connection, known name and route",
  measure(() => {
    const record = next();
    tally.accepted(record.listener);
    tally.ended(record, 2, undefined);
  }),
);

const numbers = new MergedNumbers();
for (const perFlush of [500, 1]) {
  let told = 0;
  report(
    `the same with telling, ${perFlush} at a time`,
    measure(() => {
      const record = next();
      tally.accepted(record.listener);
      tally.ended(record, 2, undefined);
      told++;
      if (told % perFlush !== 0) return;
      numbers.merge(0, structuredClone(tally.take()));
    }),
  );
}
