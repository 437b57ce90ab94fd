import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { NEED_MORE, ParseError } from "../../../src/errors.ts";
import { connectRequest, HttpConnect, MAX_CONNECT_REPLY, readConnectReply } from "../../../src/opening/http_connect.ts";
import { codeOf, fromText, inChunks, threeWays } from "../three_ways.ts";

const parser = () => ({ read: readConnectReply });
const read = (text: string) => threeWays(parser, fromText(text), fromText("SSH-2.0-x\r\n"));
const NAME = { host: "api.example.test", isIp: false, port: 443 };
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

describe("the reply to CONNECT", () => {
  test("its status and where it ends", () => {
    for (const [text, status] of [
      ["HTTP/1.1 200 Connection established\r\n\r\n", 200],
      ["HTTP/1.0 200\r\nVia: x\r\nContent-Length: 5\r\n\r\n", 200],
      ["HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n", 407],
      ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 x\r\nA: b\r\n\r\nHTTP/1.1 204 \r\n\r\n", 204],
    ] as const) {
      assert.deepEqual(read(text), { status, bytes: text.length });
    }
  });

  test("what is none", () => {
    for (const text of [
      "SSH-2.0-x\r\n",
      "HTTP/2.0 200 x\r\n\r\n",
      "HTTP/1.1  200 x\r\n\r\n",
      "HTTP/1.1 2000 x\r\n\r\n",
      "HTTP/1.1 20x y\r\n\r\n",
      "HTTP/1.1 600 x\r\n\r\n",
      "HTTP/1.1 099 x\r\n\r\n",
      "HTTP/1.1 200 x\n\n",
      "HTTP/1.1 200 x\r\r\n",
      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
      `HTTP/1.1 200 x\r\nA: ${"b".repeat(MAX_CONNECT_REPLY)}\r\n\r\n`,
      "HTTP/1.1 100 x\r\n\r\n".repeat(1000),
    ]) {
      assert.equal(codeOf(read(text)), "malformed_reply", text.slice(0, 40));
    }
  });

  test("any bytes in any chunks: one answer, bounded, and nothing is thrown", () => {
    const piece = fc.constantFrom("HTTP/1.1 ", "200", " OK", "\r\n", "\r", "\n", "100", "A: b", "\0", "x");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(7), { minLength: 1 }), (pieces, sizes) => {
        const bytes = fromText(pieces.join(""));
        const whole = readConnectReply(bytes);
        assert.deepEqual(inChunks(parser, bytes, sizes), whole);
        if (whole !== NEED_MORE && !(whole instanceof ParseError)) assert.ok(whole.bytes <= bytes.length);
      }),
    );
    assert.equal(codeOf(readConnectReply(fromText(`HTTP/1.1 200 ${"x".repeat(9000)}`))), "malformed_reply");
  });
});

describe("CONNECT", () => {
  test("the request names the server twice, and credentials only where there are some", () => {
    assert.equal(
      latin1(connectRequest(NAME, undefined)),
      "CONNECT api.example.test:443 HTTP/1.1\r\nHost: api.example.test:443\r\n\r\n",
    );
    const request = latin1(
      connectRequest({ host: "2001:db8::1", isIp: true, port: 8443 }, { username: "Ä", password: "a:b" }),
    );
    assert.match(request, /^CONNECT \[2001:db8::1\]:8443 HTTP\/1\.1\r\nHost: \[2001:db8::1\]:8443\r\n/);
    assert.ok(request.includes(`Proxy-Authorization: Basic ${Buffer.from("Ä:a:b").toString("base64")}\r\n\r\n`));
  });

  test("the tunnel is open: what is behind the reply is the client's", () => {
    const opening = new HttpConnect(NAME, undefined);
    opening.begin();
    assert.equal(opening.received(fromText("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n")), NEED_MORE);
    const answer = opening.received(fromText("\r\nSSH-2.0-x"));
    assert.ok(answer !== NEED_MORE && answer.kind === "done");
    assert.equal(latin1(answer.surplus), "SSH-2.0-x");
  });

  test("refusals say why, and hold nothing of the reply but its status", () => {
    const detail = (reply: string, username?: string): string => {
      const opening = new HttpConnect(NAME, username === undefined ? undefined : { username, password: "s3cret" });
      const answer = opening.received(fromText(reply));
      assert.ok(answer !== NEED_MORE && answer.kind === "failed");
      assert.equal(answer.reason, "proxy_refused");
      assert.doesNotMatch(answer.detail, /evil|s3cret/);
      return answer.detail;
    };
    assert.match(detail("HTTP/1.1 403 evil\r\n\r\n"), /it answered 403 \(it does not allow this server or port\)$/);
    assert.match(detail("HTTP/1.1 418 evil\r\n\r\n"), /it answered 418$/);
    assert.match(detail("HTTP/1.1 302 evil\r\nLocation: evil\r\n\r\n"), /it answered 302$/);
    assert.match(detail("HTTP/1.1 407 x\r\n\r\n"), /wants credentials, and via has none/);
    assert.match(detail("HTTP/1.1 407 x\r\n\r\n", "me"), /wants other credentials/);
    assert.match(detail("evil"), /its reply is no HTTP: no HTTP\/1 status line \(byte 0\)/);
  });
});
