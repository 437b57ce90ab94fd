import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Reader } from "../../../src/bytes.ts";
import { readDnsAnswer } from "../../../src/dns/dns_answer.ts";
import { readServiceBinding } from "../../../src/dns/service_binding.ts";
import { concat, fromText } from "../three_ways.ts";
import { uint16, vector8 } from "../tls/hello_builder.ts";
import { answer, labels, record } from "./message_builder.ts";

const HTTPS = 65;

const parameter = (key: number, value: Uint8Array): Uint8Array => concat(uint16(key), uint16(value.length), value);
const alpn = (...protocols: string[]) => parameter(1, concat(...protocols.map((text) => vector8(fromText(text)))));

function binding(priority: number, target: string, ...parameters: Uint8Array[]): Uint8Array {
  return concat(uint16(priority), labels(target), ...parameters);
}

function read(data: Uint8Array) {
  return readServiceBinding(new Reader(data), data);
}

describe("HTTPS records", () => {
  test("with all that leads a client elsewhere", () => {
    const data = binding(
      1,
      "",
      alpn("h3", "h2"),
      parameter(3, uint16(8443)),
      parameter(4, Uint8Array.of(192, 0, 2, 1, 192, 0, 2, 2)),
      parameter(5, Uint8Array.of(0, 4, 1, 2, 3, 4)),
      parameter(6, Uint8Array.from([0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 9])),
    );
    const expected = {
      priority: 1,
      target: "",
      alpn: ["h3", "h2"],
      port: 8443,
      ech: true,
      hints: ["192.0.2.1", "192.0.2.2", "2001:db8::9"],
    };
    assert.deepEqual(read(data), expected);
    const message = answer({ type: HTTPS, answers: [record({ type: HTTPS, data })] });
    const answered = readDnsAnswer(message, { id: 7, name: "a.test", type: "HTTPS" });
    assert.deepEqual(answered, { kind: "records", ttl: 60, ips: [], services: [], bindings: [expected] });
  });

  test("an alias, and keys that are not known", () => {
    assert.equal(read(binding(0, "cdn.test"))?.target, "cdn.test");
    assert.deepEqual(read(binding(2, "x.test", parameter(9, fromText("whatever"))))?.alpn, []);
  });

  test("what breaks the format is none: keys out of order, cut values, empty protocols", () => {
    const whole = binding(1, "a.test", alpn("h2"));
    for (let end = 0; end < whole.length; end++) {
      const cut = read(whole.slice(0, end));
      // Right behind the target it is whole, too.
      assert.equal(cut === undefined, end !== binding(1, "a.test").length, `cut at ${end}`);
    }
    assert.equal(read(binding(1, "", parameter(3, uint16(1)), alpn("h2"))), undefined);
    assert.equal(read(binding(1, "", alpn("h2"), alpn("h2"))), undefined);
    assert.equal(read(binding(1, "", alpn(""))), undefined);
    assert.equal(read(binding(1, "", parameter(1, Uint8Array.of(9, 104)))), undefined);
  });

  test("whatever the bytes, nothing is thrown", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
        const found = read(data);
        assert.ok(found === undefined || found.alpn.length <= 300);
      }),
    );
  });
});
