import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestHeadReader } from "../../../src/http/request_head.ts";
import { isRepeatable } from "../../../src/session/repeatable.ts";
import { ClientHelloReader } from "../../../src/tls/client_hello.ts";
import { HELLO } from "./session_fixture.ts";

test("a ClientHello alone may be repeated; with something behind it, which may be early data, it may not", () => {
  const hello = new ClientHelloReader().read(HELLO);
  assert.ok(typeof hello === "object" && "serverName" in hello);
  assert.equal(isRepeatable({ kind: "tls", hello }, HELLO.length), true);
  assert.equal(isRepeatable({ kind: "tls", hello }, HELLO.length + 1), false);
});

test("a request may be repeated where its method says so (RFC 9110 section 9.2.2)", () => {
  const may = (method: string): boolean => {
    const bytes = new TextEncoder().encode(`${method} / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    const head = new RequestHeadReader().read(bytes);
    assert.ok(typeof head === "object" && "method" in head);
    return isRepeatable({ kind: "http", head }, bytes.length);
  };
  assert.deepEqual(["GET", "HEAD", "PUT", "DELETE"].map(may), [true, true, true, true]);
  assert.deepEqual(["POST", "PATCH", "get"].map(may), [false, false, false]);
});
