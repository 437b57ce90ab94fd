import assert from "node:assert/strict";
import { test } from "node:test";
import { failureText } from "../../../src/health/failure_text.ts";

test("the system's codes in words, with the handshake where it was that", () => {
  const words = (code: string, stage: "connect" | "handshake" = "connect") =>
    failureText({ code, message: `connect ${code}` }, stage, 2000);
  assert.equal(words("ECONNREFUSED"), "connection refused");
  assert.equal(words("ECONNRESET", "handshake"), "the server closed the connection (TLS handshake)");
  assert.equal(words("ETIMEDOUT"), "no answer within 2000 ms");
  assert.equal(words("ETIMEDOUT", "handshake"), "no answer within 2000 ms (TLS handshake)");
  assert.equal(words("EOTHER"), "connect EOTHER");
  assert.equal(words("constructor"), "connect constructor");
});

test("a TLS library's reason, escaped and short", () => {
  const error = { code: "ERR_SSL_WRONG_VERSION_NUMBER", message: "error:0A00010B:SSL routines::wrong version\n" };
  assert.equal(failureText(error, "handshake", 1), "wrong version number (TLS handshake)");
  const hostile = failureText({ code: "EUNKNOWN", message: `\x1b[31m${"x".repeat(5000)}` }, "handshake", 1);
  assert.match(hostile, /^\\x1b\[31mx+ \(TLS handshake\)$/);
  assert.ok(hostile.length < 200);
});
