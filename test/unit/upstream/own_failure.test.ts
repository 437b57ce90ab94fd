import assert from "node:assert/strict";
import { test } from "node:test";
import { isOwnFailure } from "../../../src/upstream/own_failure.ts";

test("what this machine lacks is its own failure; what a server, or the way to it, does is not", () => {
  for (const code of ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]) assert.ok(isOwnFailure(code), code);
  for (const code of ["ECONNREFUSED", "ETIMEDOUT", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "EAGAIN", "ENOENT"]) {
    assert.ok(!isOwnFailure(code), code);
  }
});
