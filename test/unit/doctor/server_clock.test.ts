import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { clockFindings, DateExchange, examineClock } from "../../../src/doctor/server_clock.ts";
import { concat, fromText } from "../three_ways.ts";

const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
const TIME = Date.UTC(1994, 10, 6, 8, 49, 37);
const answer = (fields: string): Uint8Array => fromText(`HTTP/1.1 200 OK\r\n${fields}\r\n`);

/** The time in an answer that comes in pieces of `size` bytes, and how many of them were wanted. */
function read(bytes: Uint8Array, size: number): { readonly date: number | undefined; readonly taken: number } {
  const exchange = new DateExchange("a.test");
  for (let at = 0; at < bytes.length; at += size) {
    if (exchange.received(bytes.slice(at, at + size))) return { date: exchange.date, taken: at + size };
  }
  return { date: exchange.date, taken: bytes.length };
}

describe("a server's clock", () => {
  test("its Date field, whole, byte by byte, with a tail", () => {
    const bytes = answer(`Server: x\r\ndate:  ${DATE} \r\nX: y\r\n`);
    assert.equal(read(bytes, bytes.length).date, TIME);
    assert.equal(read(bytes, 1).date, TIME);
    assert.equal(read(concat(bytes, fromText("\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT\r\n")), 7).date, TIME);
  });

  test("no date: none is said, in another form, behind the head, or in an endless head", () => {
    for (const fields of [
      "",
      "Date: yesterday\r\n",
      "Date: Sunday, 06-Nov-94 08:49:37 GMT\r\n",
      `X-Date: ${DATE}\r\n`,
    ]) {
      assert.equal(read(answer(fields), 5).date, undefined, fields);
    }
    const late = concat(answer("X: y\r\n"), fromText(`Date: ${DATE}\r\n`));
    assert.equal(read(late, 1).date, undefined);
    const endless = read(fromText(`HTTP/1.1 200 OK\r\nX: ${"a".repeat(100_000)}`), 1_000);
    assert.deepEqual([endless.date, endless.taken <= 9_000], [undefined, true]);
  });

  test("whatever comes, it answers", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void read(bytes, 3)));
  });

  test("it is asked as a client of its name would", async () => {
    const asked: unknown[] = [];
    const found = await examineClock(
      {
        clock: { now: () => 0, wallTime: () => TIME + 1_000, after: () => () => {} },
        probe: (request, done) => {
          asked.push(request.tls, new TextDecoder().decode(request.exchange!.send).split("\r\n")[1]);
          request.exchange!.received(answer(`Date: ${DATE}\r\n`));
          done({ ok: true, duration: 1, certificate: undefined });
          return () => {};
        },
      },
      "a.test",
      { kind: "tcp", ip: "192.0.2.1", port: 443 },
    );
    assert.deepEqual(asked, [{ serverName: "a.test" }, "Host: a.test"]);
    assert.deepEqual(
      found.map(({ id }) => id),
      ["clock_agrees"],
    );
  });

  test("what its time says of this machine's", () => {
    const find = (date: number | undefined, now: number): string[] =>
      clockFindings("a.test", date, now).map(({ id, seen }) => `${id}: ${seen}`);
    assert.deepEqual(find(undefined, TIME), []);
    assert.match(
      find(TIME, TIME + 59_000)[0]!,
      /^clock_agrees: it is 1994-11-06T08:50:36Z here, and 1994-11-06T08:49:37Z/,
    );
    assert.match(find(TIME, TIME + 120_000)[0]!, /^clock: .*: 120 s ahead, or it is the server's$/);
    assert.match(find(TIME, TIME - 7_200_000)[0]!, /^clock: .*: 7200 s behind/);
  });
});
