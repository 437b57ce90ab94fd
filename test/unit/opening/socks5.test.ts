import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { NEED_MORE } from "../../../src/errors.ts";
import type { OpeningAnswer } from "../../../src/opening/opening.ts";
import { readSocksChoice, readSocksReply, Socks5, socksRequest } from "../../../src/opening/socks5.ts";
import { codeOf, fromHex, inChunks, threeWays } from "../three_ways.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const NAME = { host: "api.example.test", isIp: false, port: 443 };
const TAIL = fromHex("5353482d");
const parser = () => ({ read: readSocksReply });
const reply = (text: string) => threeWays(parser, fromHex(text), TAIL);

function sent(answer: OpeningAnswer): string {
  assert.ok(answer !== NEED_MORE && answer.kind === "send", JSON.stringify(answer));
  return hex(answer.bytes);
}

function failure(answer: OpeningAnswer): string {
  assert.ok(answer !== NEED_MORE && answer.kind === "failed", JSON.stringify(answer));
  assert.equal(answer.reason, "proxy_refused");
  return answer.detail;
}

describe("replies of a SOCKS5 proxy", () => {
  test("to CONNECT: the code, and the whole address", () => {
    assert.deepEqual(reply("05000001000000000000"), { code: 0, bytes: 10 });
    assert.deepEqual(reply(`05000004${"00".repeat(16)}01bb`), { code: 0, bytes: 22 });
    assert.deepEqual(reply(`050500030361626300 50`.replace(" ", "")), { code: 5, bytes: 10 });
    assert.deepEqual(reply("05000003000050"), { code: 0, bytes: 7 });
  });

  test("what is none", () => {
    assert.equal(codeOf(reply("04")), "malformed_reply");
    assert.equal(codeOf(reply("485454502f312e31")), "malformed_reply");
    assert.equal(codeOf(reply("050001")), "malformed_reply");
    assert.equal(codeOf(reply("05000002")), "malformed_reply");
  });

  test("any bytes in any chunks: one answer", () => {
    const byte = fc.constantFrom(0, 1, 3, 4, 5, 255);
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 30 }), fc.array(fc.nat(5), { minLength: 1 }), (bytes, sizes) => {
        const whole = Uint8Array.from(bytes);
        assert.deepEqual(inChunks(parser, whole, sizes), readSocksReply(whole));
        const choice = () => ({ read: (buffer: Uint8Array) => readSocksChoice(buffer, 5) });
        assert.deepEqual(inChunks(choice, whole, sizes), readSocksChoice(whole, 5));
      }),
    );
  });
});

describe("SOCKS5", () => {
  test("without credentials, by name: the proxy resolves it", () => {
    const opening = new Socks5(NAME, undefined);
    assert.equal(hex(opening.begin()), "050100");
    assert.equal(opening.received(fromHex("05")), NEED_MORE);
    assert.equal(sent(opening.received(fromHex("00"))), `0501000310${hex(Buffer.from(NAME.host))}01bb`);
    assert.equal(opening.received(fromHex("050000010a0000")), NEED_MORE);
    const answer = opening.received(fromHex("0101bb5353"));
    assert.deepEqual(answer, { kind: "done", surplus: fromHex("5353") });
  });

  test("addresses go as addresses", () => {
    assert.equal(hex(socksRequest({ host: "192.0.2.1", isIp: true, port: 80 })), "05010001c00002010050");
    const v6 = socksRequest({ host: "2001:db8::1", isIp: true, port: 443 });
    assert.equal(hex(v6), "0501000420010db800000000000000000000000101bb");
  });

  test("with credentials, where the proxy wants them", () => {
    const opening = new Socks5(NAME, { username: "ä", password: "" });
    assert.equal(hex(opening.begin()), "05020002");
    assert.equal(sent(opening.received(fromHex("0502"))), "0102c3a400");
    assert.match(sent(opening.received(fromHex("0100"))), /^05010003/);
    const unwanted = new Socks5(NAME, { username: "u", password: "p" });
    assert.match(sent(unwanted.received(fromHex("0500"))), /^05010003/);
  });

  test("refusals say why", () => {
    const create = (username?: string) =>
      new Socks5(NAME, username === undefined ? undefined : { username, password: "s3cret" });
    assert.match(failure(create().received(fromHex("05ff"))), /wants credentials, and via has none/);
    assert.match(failure(create("u").received(fromHex("05ff"))), /takes no password/);
    assert.match(failure(create().received(fromHex("0502"))), /a method that was not offered/);
    assert.match(failure(create().received(fromHex("4854"))), /it does not speak SOCKS5 \(byte 0 of its reply\)/);
    assert.match(failure(create().received(fromHex("050005"))), /answers what it was not asked/);
    const wrong = create("u");
    wrong.received(fromHex("0502"));
    assert.match(failure(wrong.received(fromHex("0101"))), /wants other credentials/);
    for (const [code, words] of [
      ["02", /its rules do not allow this server/],
      ["05", /the server refused its connection/],
      ["63", /its code is 99/],
    ] as const) {
      const opening = create();
      opening.received(fromHex("0500"));
      assert.match(failure(opening.received(fromHex(`05${code}0001000000000000`))), words);
    }
  });
});
