import assert from "node:assert/strict";
import { test } from "node:test";
import { NEED_MORE } from "../../../src/errors.ts";
import { HttpConnect } from "../../../src/opening/http_connect.ts";
import { OpeningChain } from "../../../src/opening/opening.ts";
import { PostgresTls } from "../../../src/opening/postgres_tls.ts";
import { sslRequest } from "../../../src/postgres/startup_request.ts";
import { concat, fromText } from "../three_ways.ts";

const TARGET = { host: "db.example.test", isIp: false, port: 5432 };
const ESTABLISHED = fromText("HTTP/1.1 200 OK\r\n\r\n");
const chain = () =>
  new OpeningChain([new HttpConnect(TARGET, undefined), new PostgresTls(fromText("PROXY UNKNOWN\r\n"))]);

test("one behind the other", () => {
  const opening = chain();
  assert.match(Buffer.from(opening.begin()).toString(), /^CONNECT db/);
  assert.equal(opening.received(ESTABLISHED.subarray(0, 5)), NEED_MORE);
  const asked = opening.received(ESTABLISHED.subarray(5));
  assert.ok(asked !== NEED_MORE && asked.kind === "send");
  assert.deepEqual(asked.bytes, concat(fromText("PROXY UNKNOWN\r\n"), sslRequest()));
  assert.deepEqual(opening.received(fromText("S")), { kind: "done", surplus: new Uint8Array(0) });
});

test("an answer before the question is refused", () => {
  const answer = chain().received(concat(ESTABLISHED, fromText("S")));
  assert.ok(answer !== NEED_MORE && answer.kind === "failed");
  assert.deepEqual([answer.reason, answer.detail], ["tls_refused", "the server spoke before it was asked for TLS"]);
});

test("the first one's failure is the chain's", () => {
  const answer = chain().received(fromText("HTTP/1.1 502 x\r\n\r\n"));
  assert.ok(answer !== NEED_MORE && answer.kind === "failed" && answer.reason === "proxy_refused");
});
