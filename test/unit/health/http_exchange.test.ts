import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HttpExchange } from "../../../src/health/http_exchange.ts";

const request = { method: "GET", path: "/health?x=1", host: undefined, expect: { from: 200, to: 204 } } as const;

/** What comes of an answer in pieces of `size` bytes: the fault, and whether enough was heard. */
function answer(text: string, size = text.length, expect = request.expect as { from: number; to: number }) {
  const exchange = new HttpExchange({ ...request, expect }, "a.test");
  let enough = false;
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length && !enough; at += size) enough = exchange.received(bytes.subarray(at, at + size));
  return { enough, fault: exchange.fault };
}

test("the request", () => {
  assert.equal(
    Buffer.from(new HttpExchange(request, "a.test:81").send).toString(),
    "GET /health?x=1 HTTP/1.1\r\nHost: a.test:81\r\nUser-Agent: certless\r\nConnection: close\r\n\r\n",
  );
});

describe("the answer", () => {
  const cases: readonly (readonly [string, string | undefined, boolean])[] = [
    ["HTTP/1.1 200 OK\r\n\r\nbody", undefined, true],
    ["HTTP/1.0 204 \r\n\r\n", undefined, true],
    ["HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", undefined, true],
    ["HTTP/1.1 500 Oops\r\n\r\n", "status 500, expected 200-204", true],
    ["HTTP/1.1 205 Reset\r\n\r\n", "status 205, expected 200-204", true],
    ["HTTP/2 200\r\n", "the answer is not HTTP/1", true],
    ["\x16\x03\x01", "the answer is not HTTP/1", true],
    ["HTTP/1.1 20", "no final status came", false],
    ["", "no final status came", false],
  ];
  for (const [text, fault, enough] of cases) {
    test(JSON.stringify(text), () => {
      assert.deepEqual(answer(text), { enough, fault });
      assert.deepEqual(answer(text, 1), { enough, fault });
    });
  }

  test("one expected status is named alone", () => {
    assert.equal(answer("HTTP/1.1 500 ", 5, { from: 200, to: 200 }).fault, "status 500, expected 200");
  });

  test("interim heads without end are not read for ever", () => {
    assert.deepEqual(answer("HTTP/1.1 100 Continue\r\n\r\n".repeat(1000), 100), {
      enough: true,
      fault: "no final status came",
    });
  });

  test("anything: never a throw, always an answer", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const exchange = new HttpExchange(request, "a.test");
        exchange.received(bytes);
        assert.ok(exchange.fault === undefined || exchange.fault.length > 0);
      }),
    );
  });
});
