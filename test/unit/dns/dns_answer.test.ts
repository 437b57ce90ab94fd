import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type DnsAnswer, type Question, readDnsAnswer } from "../../../src/dns/dns_answer.ts";
import { concat } from "../three_ways.ts";
import { uint16 } from "../tls/hello_builder.ts";
import { answer, labels, record, soa, srv, TYPE } from "./message_builder.ts";

const A: Question = { id: 7, name: "a.test", type: "A" };
const IP = Uint8Array.of(192, 0, 2, 7);
const address = (ttl = 60, name = "@12") => record({ name, type: TYPE.A, ttl, data: IP });
const alias = (from: string, to: string, ttl: number) =>
  record({ name: from, type: TYPE.CNAME, ttl, data: labels(to) });
const found = (ttl: number, ips: string[] = ["192.0.2.7"]): DnsAnswer => ({ kind: "records", ttl, ips, services: [] });

describe("DNS answer", () => {
  test("addresses, each once, with the shortest TTL", () => {
    const message = answer({ answers: [address(300), address(60)] });
    assert.deepEqual(readDnsAnswer(message, A), found(60));
    const six = record({ type: TYPE.AAAA, data: Uint8Array.from([0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 9]) });
    const answered = readDnsAnswer(answer({ type: TYPE.AAAA, answers: [six] }), { ...A, type: "AAAA" });
    assert.deepEqual(answered, found(60, ["2001:db8::9"]));
  });

  test("aliases are followed, whatever their order; their TTLs count", () => {
    const answers = [address(300, "c.test"), alias("b.test", "c.test", 20), alias("@12", "b.test", 100)];
    assert.deepEqual(readDnsAnswer(answer({ answers }), A), found(20));
  });

  test("an alias to nothing is no address; one in a circle is a broken answer", () => {
    const dangling = answer({ answers: [alias("@12", "b.test", 9)], authorities: [soa(50, 30)] });
    assert.deepEqual(readDnsAnswer(dangling, A), { kind: "none", nameExists: true, ttl: 30 });
    const circle = answer({ answers: [alias("@12", "b.test", 9), alias("b.test", "a.test", 9)] });
    assert.deepEqual(readDnsAnswer(circle, A), { kind: "failed", code: "EBADRESP" });
  });

  test("what is not there, and how long to believe it (RFC 2308)", () => {
    const none = (flags: number, nameExists: boolean, ttl: number | undefined, authorities: Uint8Array[]): void => {
      assert.deepEqual(readDnsAnswer(answer({ flags, authorities }), A), { kind: "none", nameExists, ttl });
    };
    none(0x8183, false, 30, [soa(50, 30)]);
    none(0x8183, false, 20, [soa(20, 30)]);
    none(0x8180, true, 30, [soa(50, 30)]);
    none(0x8183, false, undefined, []);
  });

  test("services (RFC 2782)", () => {
    const question: Question = { id: 7, name: "_x._tcp.test", type: "SRV" };
    const answers = [srv(10, 5, 8443, "a.test"), srv(20, 0, 443, "")];
    assert.deepEqual(readDnsAnswer(answer({ name: "_x._tcp.test", type: TYPE.SRV, answers }), question), {
      kind: "records",
      ttl: 60,
      ips: [],
      services: [
        { priority: 10, weight: 5, port: 8443, target: "a.test" },
        { priority: 20, weight: 0, port: 443, target: "" },
      ],
    });
  });

  test("names are compared without regard to case", () => {
    assert.deepEqual(readDnsAnswer(answer({ name: "A.Test", answers: [address(60, "a.TEST")] }), A), found(60));
  });

  test("a server's failure has its name", () => {
    for (const [code, name] of [
      [1, "EFORMERR"],
      [2, "ESERVFAIL"],
      [4, "ENOTIMP"],
      [5, "EREFUSED"],
      [9, "EBADRESP"],
    ] as const) {
      assert.deepEqual(readDnsAnswer(answer({ flags: 0x8180 | code }), A), { kind: "failed", code: name });
    }
    assert.deepEqual(readDnsAnswer(answer({ flags: 0x8181, noQuestion: true }), A), {
      kind: "failed",
      code: "EFORMERR",
    });
  });

  test("what does not fit is asked for again", () => {
    assert.deepEqual(readDnsAnswer(answer({ flags: 0x8380, answers: [address()] }), A), { kind: "truncated" });
  });

  test("an answer to something else is none", () => {
    for (const parts of [{ id: 8 }, { name: "b.test" }, { type: TYPE.AAAA }, { flags: 0x0180 }, { flags: 0x8980 }]) {
      assert.equal(readDnsAnswer(answer({ answers: [address()], ...parts }), A), undefined, JSON.stringify(parts));
    }
    assert.equal(readDnsAnswer(new Uint8Array(0), A), undefined);
  });

  test("records of other names, types and classes are passed over", () => {
    const answers = [
      address(1, "b.test"),
      record({ type: 16, data: IP }),
      record({ type: TYPE.A, class: 3, ttl: 1, data: IP }),
      address(60),
    ];
    assert.deepEqual(readDnsAnswer(answer({ answers }), A), found(60));
  });

  test("broken records are a broken answer", () => {
    const whole = answer({ answers: [address()] });
    for (let length = whole.length - 1; length > 24; length--) {
      assert.deepEqual(readDnsAnswer(whole.slice(0, length), A), { kind: "failed", code: "EBADRESP" }, String(length));
    }
    const short = answer({ answers: [record({ type: TYPE.A, data: IP.slice(0, 3) })] });
    assert.deepEqual(readDnsAnswer(short, A), { kind: "failed", code: "EBADRESP" });
  });

  test("compression pointers lead backwards only", () => {
    // The answer's name points at itself.
    const at = answer().length;
    const selfish = answer({ answers: [concat(uint16(0xc000 | at), uint16(1), uint16(1), new Uint8Array(6))] });
    assert.deepEqual(readDnsAnswer(selfish, A), { kind: "failed", code: "EBADRESP" });
  });

  test("a TTL with its highest bit set is 0 (RFC 2181 §8)", () => {
    assert.deepEqual(readDnsAnswer(answer({ answers: [address(0x80000001)] }), A), found(0));
  });

  test("any bytes, and any damage to an answer, give an answer or nothing", () => {
    const good = answer({ answers: [alias("@12", "b.test", 9), address(60, "b.test")], authorities: [soa(1, 2)] });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(good.length - 1), fc.nat(255), (bytes, at, byte) => {
        readDnsAnswer(bytes, A);
        readDnsAnswer(concat(good.slice(0, 12), bytes), A);
        const damaged = good.slice();
        damaged[at] = byte;
        const read = readDnsAnswer(damaged, A);
        if (read?.kind === "records") for (const ip of read.ips) assert.match(ip, /^[0-9.]+$/);
      }),
      { numRuns: 2000 },
    );
  });
});
