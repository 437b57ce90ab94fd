import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ConnectionAnswer } from "../../../src/admin/api.ts";
import { statusAnswer } from "../../../src/admin/status.ts";
import { countText, durationText, sizeText } from "../../../src/cli/amounts.ts";
import { statusText } from "../../../src/cli/status.ts";
import { PLAIN } from "../../../src/cli/style.ts";
import { type Sample, topLines } from "../../../src/cli/top_picture.ts";
import { NO_NUMBERS, operated, server } from "../admin/operated_fixture.ts";

const HOSTILE = "\u001b]0;owned\u0007\u202e<script>\n";

function sample(now: number, accepted: number): Sample {
  const { proxy } = operated({ numbers: NO_NUMBERS, now });
  const connection: ConnectionAnswer = {
    id: 1,
    state: "relaying",
    acceptedAt: 1_000,
    client: "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535",
    listener: "127.0.0.1:443",
    protocol: "tls",
    serverName: HOSTILE,
    route: "default",
    upstream: undefined,
    server: "192.0.2.1:443",
    received: 123_456_789,
    sent: 1e15,
  };
  const status = statusAnswer(proxy);
  return {
    status: { ...status, connections: { ...status.connections, accepted } },
    upstreams: [{ name: "pool", servers: Array.from({ length: 40 }, (_, index) => server(`192.0.2.${index}:443`)) }],
    connections: Array(40).fill(connection),
    names: Array(40).fill({ name: HOSTILE, connections: 12_345_678, rejected: 0, received: 1e12, sent: 1e13 }),
  };
}

describe("picture of top", () => {
  test("fits whatever room there is, and holds printable characters alone", () => {
    for (const [columns, rows] of [
      [80, 24],
      [200, 60],
      [40, 10],
      [20, 3],
      [1, 1],
    ] as const) {
      const lines = topLines(sample(2_000, 20), sample(1_000, 10), { columns, rows }, PLAIN);
      assert.ok(lines.length <= rows, `${lines.length} lines`);
      for (const line of lines) {
        assert.ok(line.length <= columns, line);
        assert.match(line, /^[ -~]*$/);
      }
    }
  });

  test("80 columns and 24 rows have something of everything", () => {
    const lines = topLines(sample(2_000, 20), sample(1_000, 10), { columns: 80, rows: 24 }, PLAIN);
    assert.equal(lines.length, 24);
    const text = lines.join("\n");
    for (const part of [/^10 new\/s/m, /all is well/, /^server +service/m, /^name +ended/m, /^connection +state/m])
      assert.match(text, part);
  });

  test("without a former sample there are no rates", () => {
    assert.doesNotMatch(topLines(sample(1_000, 9), undefined, { columns: 80, rows: 24 }, PLAIN).join("\n"), /\/s/);
  });

  test("a name that the former sample does not have has no rate", () => {
    const name = { name: "a.test", connections: 1, rejected: 0, received: 5_000_000, sent: 7_000_000 };
    const [now, before] = [
      { ...sample(2_000, 20), names: [name] },
      { ...sample(1_000, 10), names: [] },
    ];
    const text = topLines(now, before, { columns: 80, rows: 24 }, PLAIN).join("\n");
    assert.match(text, /^name +ended +from\/s +to\/s\na\.test +1 +- +-$/m);
  });
});

describe("text of status", () => {
  test("tells numbers, servers and findings, escaped", () => {
    const { proxy } = operated({
      droppedLines: 2,
      upstreams: [{ name: "pool", servers: [server("a:1", { error: HOSTILE, service: "down" })] }],
    });
    const answer = statusAnswer(proxy);
    const text = statusText(answer, proxy.upstreams, PLAIN);
    assert.match(text, /: trouble\n! upstream pool: no server is in service/);
    assert.match(text, /^server +pool a:1 down, 0 connections, /m);
    assert.match(text, /^ended +ok 5, no_route 2$/m);
    assert.match(text, /^[ -~\n]*$/);
  });
});

describe("amounts", () => {
  test("have three digits at most, and a unit", () => {
    assert.deepEqual([0, 999, 1_024, 10_240, 1e6, 1e15].map(sizeText), [
      "0 B",
      "999 B",
      "1.0 KiB",
      "10 KiB",
      "977 KiB",
      "909 TiB",
    ]);
    assert.deepEqual([0, 59_999, 60_000, 3_723_000, 90_000_000].map(durationText), [
      "0s",
      "59s",
      "1m",
      "1h 2m",
      "1d 1h",
    ]);
    assert.deepEqual([7, 99_999, 100_000, 12_345_678].map(countText), ["7", "99999", "100k", "12M"]);
  });
});
