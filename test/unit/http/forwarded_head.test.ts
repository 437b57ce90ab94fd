import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { latin1 } from "../../../src/bytes.ts";
import { forwardedHead } from "../../../src/http/forwarded_head.ts";
import { type RequestHead, RequestHeadReader } from "../../../src/http/request_head.ts";
import { fromText } from "../three_ways.ts";

function read(bytes: Uint8Array): RequestHead {
  const head = new RequestHeadReader().read(bytes);
  assert.ok(typeof head === "object" && "method" in head);
  return head;
}

/** The lines that the server gets, with the empty one, for these. */
function forwarded(...lines: readonly string[]): string[] {
  const bytes = fromText(`${lines.join("\r\n")}\r\n\r\nbody`);
  const out = forwardedHead(bytes, read(bytes));
  const text = latin1(out, 0, out.length);
  assert.ok(text.endsWith("\r\n\r\n"));
  return text.slice(0, -4).split("\r\n");
}

describe("forwardedHead", () => {
  test("only Connection is new, the rest passes byte for byte", () => {
    const kept = [
      "GET /a?b HTTP/1.1",
      "hOsT:  a.test ",
      "X-Odd:\u00ff\u0080\t",
      "TE: trailers",
      "Trailer: x",
      "Cookie: a=b",
    ];
    assert.deepEqual(forwarded(...kept), [...kept, "Connection: close"]);
    assert.deepEqual(forwarded("GET / HTTP/1.0"), ["GET / HTTP/1.0", "Connection: close"]);
  });

  test("connection fields go, in any spelling and number", () => {
    const fields = ["connection: keep-alive", "Keep-Alive: timeout=5", "PROXY-CONNECTION: x", "Connection: close"];
    assert.deepEqual(forwarded("GET / HTTP/1.1", "Host: a.test", ...fields), [
      "GET / HTTP/1.1",
      "Host: a.test",
      "Connection: close",
    ]);
  });

  test("fields that Connection names go, but never host and framing", () => {
    const named = "Connection: X-Hop , te,HOST, content-length,transfer-encoding,, x-other";
    assert.deepEqual(
      forwarded("POST / HTTP/1.1", "x-hop: 1", "TE: trailers", named, "Host: a.test", "Content-Length: 4", "X: y"),
      ["POST / HTTP/1.1", "Host: a.test", "Content-Length: 4", "X: y", "Connection: close"],
    );
  });

  test("an upgrade keeps its fields", () => {
    const fields = ["Host: a.test", "Upgrade: websocket", "Sec-WebSocket-Key: x"];
    assert.deepEqual(forwarded("GET /ws HTTP/1.1", "Connection: keep-alive, Upgrade", ...fields), [
      "GET /ws HTTP/1.1",
      ...fields,
      "Connection: close, Upgrade",
    ]);
  });

  test("h2c and an Upgrade that Connection does not name are taken out", () => {
    const h2c = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"];
    for (const fields of [h2c, ["Upgrade: websocket"], ["HTTP2-Settings: x"]]) {
      assert.deepEqual(forwarded("GET / HTTP/1.1", "Host: a.test", ...fields), [
        "GET / HTTP/1.1",
        "Host: a.test",
        "Connection: close",
      ]);
    }
  });

  test("absolute-form becomes origin-form", () => {
    for (const [method, target, origin] of [
      ["GET", "http://a.test/p?q", "/p?q"],
      ["GET", "http://a.test", "/"],
      ["GET", "http://a.test?q", "/?q"],
      ["OPTIONS", "http://a.test", "*"],
      ["OPTIONS", "http://a.test/", "/"],
    ]) {
      const lines = forwarded(`${method} ${target} HTTP/1.1`, "Host: a.test");
      assert.deepEqual(lines, [`${method} ${origin} HTTP/1.1`, "Host: a.test", "Connection: close"]);
    }
    assert.deepEqual(forwarded("GET http://A.test:8080/p HTTP/1.0", "X: y"), [
      "GET /p HTTP/1.0",
      "Host: A.test:8080",
      "X: y",
      "Connection: close",
    ]);
  });

  test("what comes out is read as the same request", () => {
    const field = fc.constantFrom(
      "X: y",
      "Connection: close, x",
      "Content-Length: 7",
      "Upgrade: websocket",
      "connection: upgrade",
    );
    const target = fc.constantFrom("/", "/a?b", "http://a.test/c", "http://a.test");
    fc.assert(
      fc.property(target, fc.uniqueArray(field), (path, fields) => {
        const bytes = fromText(
          ["GET ", path, " HTTP/1.1\r\nHost: a.test\r\n", ...fields.map((f) => `${f}\r\n`), "\r\n"].join(""),
        );
        const head = read(bytes);
        const again = read(forwardedHead(bytes, head));
        assert.deepEqual([again.host, again.body, again.upgrade], [head.host, head.body, head.upgrade]);
      }),
    );
  });
});
