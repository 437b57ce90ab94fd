import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FinalStatus } from "../../../src/http/final_status.ts";
import { fromText } from "../three_ways.ts";

/** The status after all of `text`, and the same byte by byte. */
function statusOf(text: string): number {
  const bytes = fromText(text);
  const single = new FinalStatus();
  for (let at = 0; at < bytes.length; at++) single.read(bytes.subarray(at, at + 1));
  const whole = new FinalStatus().read(bytes);
  assert.equal(single.status, whole);
  return whole;
}

describe("FinalStatus", () => {
  test("101 and what is 200 or more are final", () => {
    assert.equal(statusOf("HTTP/1.1 101"), 101);
    assert.equal(statusOf("HTTP/1.0 200 OK\r\n"), 200);
    assert.equal(statusOf("HTTP/1.1 599\r\nHTTP/1.1 101"), 599);
  });

  test("interim heads are skipped to their empty line", () => {
    assert.equal(statusOf("HTTP/1.1 100 Continue\r\n"), 0);
    assert.equal(statusOf("HTTP/1.1 100 Continue\r\n\r\n"), 0);
    assert.equal(statusOf("HTTP/1.1 103 x\r\nLink: HTTP/1.1 200\r\n\r\nHTTP/1.1 404 Not Found"), 404);
    assert.equal(statusOf("HTTP/1.1 199\n\nHTTP/1.1 204"), 204);
  });

  test("anything else is none", () => {
    for (const text of [
      "X",
      "HTTP/2",
      "HTTP/1.x",
      "HTTP/1.1\t200",
      "HTTP/1.1 2x",
      "HTTP/1.1 099",
      "\r\nHTTP/1.1 200",
    ]) {
      assert.equal(statusOf(text), -1, text);
    }
    assert.equal(statusOf("HTTP/1.1 100\r\n\r\nxyz"), -1);
  });
});
