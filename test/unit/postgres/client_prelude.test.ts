import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { NEED_MORE, ParseError } from "../../../src/errors.ts";
import { ClientPrelude, type ClientPreludeAnswer } from "../../../src/postgres/client_prelude.ts";
import { codeOf, concat, fromHex } from "../three_ways.ts";

const SSL = fromHex("0000000804d2162f");
const GSS = fromHex("0000000804d21630");
const HELLO = fromHex("160301");

/** What a prelude says to messages that come one after the other, each byte by byte. */
function talk(...messages: readonly Uint8Array[]): ClientPreludeAnswer[] {
  const prelude = new ClientPrelude();
  const answers: ClientPreludeAnswer[] = [];
  let came = new Uint8Array(0);
  for (const message of messages) {
    for (const byte of message) {
      came = Uint8Array.from([...came, byte]);
      const answer = prelude.read(came);
      if (answer !== NEED_MORE) answers.push(answer);
    }
  }
  return answers;
}

const text = (answer: ClientPreludeAnswer | undefined): string => {
  if (answer === undefined || answer === NEED_MORE) return "more";
  if (answer instanceof ParseError) return answer.code;
  return answer.kind === "answer" ? String.fromCharCode(...answer.bytes) : answer.kind;
};

describe("a PostgreSQL client in front of its ClientHello", () => {
  test("asks for TLS, with and without a question for GSSAPI before", () => {
    assert.deepEqual(talk(SSL, HELLO).map(text), ["S", "tls", "tls", "tls"]);
    assert.deepEqual(talk(GSS, SSL, HELLO.subarray(0, 1)).map(text), ["N", "S", "tls"]);
  });

  test("or begins with TLS at once", () => {
    const prelude = new ClientPrelude();
    assert.deepEqual(prelude.read(HELLO), { kind: "tls" });
    assert.deepEqual([prelude.consumed, prelude.sslRequested], [0, false]);
  });

  test("nothing may stand behind a request before it is answered", () => {
    for (const request of [SSL, GSS]) {
      const answer = new ClientPrelude().read(concat(request, HELLO));
      assert.ok(answer instanceof ParseError && answer.code === "malformed_prelude" && answer.offset === 8);
    }
  });

  test("GSSAPI is asked for once", () => {
    assert.deepEqual(talk(GSS, GSS).map(text), ["N", "malformed_prelude"]);
  });

  test("a client in the clear gets an error that says what to do", () => {
    for (const [hex, what] of [
      ["0000000900030000", "startup"],
      ["0000001004d2162e", "cancel"],
    ] as const) {
      const answer = new ClientPrelude().read(fromHex(hex));
      assert.ok(answer !== NEED_MORE && !(answer instanceof ParseError) && answer.kind === "plaintext");
      assert.equal(answer.what, what);
      const reply = Buffer.from(answer.reply);
      assert.equal(reply[0], "E".charCodeAt(0));
      assert.equal(reply.readUInt32BE(1), reply.length - 1);
      assert.match(reply.toString("latin1", 5), /^SFATAL\0VFATAL\0C28000\0M[ -~]+\0H[ -~]+\0\0$/);
    }
  });

  test("everything else is none", () => {
    assert.equal(codeOf(new ClientPrelude().read(Buffer.from("GET / HTTP/1.1"))), "malformed_prelude");
  });

  test("no bytes make it throw, and it never takes more than it was shown", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(SSL, GSS, HELLO, fromHex("00")), { maxLength: 5 }), (parts) => {
        const prelude = new ClientPrelude();
        let came: Uint8Array = new Uint8Array(0);
        for (const part of parts) {
          came = concat(came, part);
          const answer = prelude.read(came);
          assert.ok(prelude.consumed <= came.length);
          if (answer instanceof ParseError) return;
        }
      }),
    );
  });
});
