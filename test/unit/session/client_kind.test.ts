import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { NEED_MORE } from "../../../src/errors.ts";
import { clientKind } from "../../../src/session/client_kind.ts";
import { fromText, inChunks, threeWays } from "../three_ways.ts";
import { HELLO } from "./session_fixture.ts";

const parser = () => ({ read: clientKind });
const kindOf = (text: string) => threeWays(parser, fromText(text), fromText("GET / HTTP/1.1\r\n"));

describe("what a client speaks", () => {
  test("by its first bytes", () => {
    assert.equal(threeWays(parser, HELLO, HELLO), "tls");
    for (const [text, kind] of [
      ["\x16", "tls"],
      ["SSH-2.0-OpenSSH_9.2\r\n", "ssh"],
      ["SSH-1.99-x", "ssh"],
      ["GET /", "http"],
      ["OPTIONS *", "http"],
      ["GET http://a/", "http"],
      ["CONNECT a", "http"],
      ["SEARCH /", "http"],
      ["VERSION-CONTROL /", "http"],
      ["PRI * HTTP/2.0", "http"],
      ["\0\0\0\x08\x04\xd2\x16\x2f", "postgres"],
      ["\0\0\0\x54\0\x03\0\0", "postgres"],
      ["\0\0\0\x54\0\x01\0\0", "other"],
      ["\x80\x2e\x01", "other"],
      ["EHLO x", "other"],
      ["NICK harry\r\n", "other"],
      ["get /", "other"],
      ["AB /", "other"],
      ["AAAAAAAAAAAAAAAAAAA", "other"],
      ["SSX!", "other"],
      ["\r\n", "other"],
    ] as const) {
      assert.equal(kindOf(text), kind, JSON.stringify(text));
    }
  });

  test("a prefix that may become any is waited for", () => {
    for (const text of ["S", "SSH", "G", "GET", "GET ", "GET http:/", "\0", "\0\0\0\x08\x04\xd2\x16"]) {
      assert.equal(kindOf(text), NEED_MORE, JSON.stringify(text));
    }
  });

  test("any bytes in any chunks: one answer, after 25 bytes at most", () => {
    const piece = fc.constantFrom("SSH-", "S", "GET", " ", "/", "http://", "\0", "\x16", "CONNECT", "A".repeat(9), "-");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), fc.array(fc.nat(5), { minLength: 1 }), (pieces, sizes) => {
        const bytes = fromText(pieces.join(""));
        const whole = clientKind(bytes);
        assert.equal(inChunks(parser, bytes, sizes), whole);
        if (bytes.length >= 25) assert.notEqual(whole, NEED_MORE);
      }),
    );
  });
});
