import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ChunkedBody } from "../../../src/http/chunked_body.ts";
import { counted, fromText } from "../three_ways.ts";

// What is accepted is tested through the gate: request_gate.test.ts.
describe("ChunkedBody", () => {
  test("is done behind the trailer's empty line, and not before", () => {
    const body = new ChunkedBody();
    assert.equal(body.take(fromText("3\r\nabc\r\n0\r\nX: y\r\n\r")), 18);
    assert.deepEqual([body.done, body.failed], [false, false]);
    assert.equal(body.take(fromText("\nGET")), 1);
    assert.deepEqual([body.done, body.failed], [true, false]);
    assert.equal(body.take(fromText("0\r\n\r\n")), 0);
  });

  test("has failed from the first wrong byte on", () => {
    const body = new ChunkedBody();
    assert.equal(body.take(fromText("3\r\nabcX")), 6);
    assert.deepEqual([body.done, body.failed], [false, true]);
    assert.equal(body.take(fromText("\r\n0\r\n\r\n")), 0);
  });

  test("data is counted, not looked at", () => {
    const counter = { bytes: 0 };
    const wire = fromText(`ffff\r\n${"x".repeat(0xffff)}\r\n0\r\n\r\n`);
    assert.equal(new ChunkedBody().take(counted(wire, counter)), wire.length);
    assert.ok(counter.bytes < 20, `${counter.bytes}`);
  });
});
