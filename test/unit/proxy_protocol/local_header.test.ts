import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { NEED_MORE } from "../../../src/errors.ts";
import { writeLocalHeader } from "../../../src/proxy_protocol/local_header.ts";
import { readProxyHeader } from "../../../src/proxy_protocol/read_proxy_header.ts";

test("our own reader takes both, and learns of no client", () => {
  for (const version of [1, 2] as const) {
    const header = readProxyHeader(writeLocalHeader(version));
    assert.ok(header !== NEED_MORE && "command" in header, String(version));
    assert.equal(header.source, undefined);
  }
});

test("the bytes", () => {
  assert.equal(Buffer.from(writeLocalHeader(2)).toString("hex"), "0d0a0d0a000d0a515549540a20000000");
});
