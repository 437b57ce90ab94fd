import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Endpoint } from "../../../src/address.ts";
import { latin1, Writer } from "../../../src/bytes.ts";
import { NEED_MORE } from "../../../src/errors.ts";
import { crc32c } from "../../../src/proxy_protocol/crc32c.ts";
import { type ProxyHeader, readProxyHeader } from "../../../src/proxy_protocol/read_proxy_header.ts";
import { writeProxyHeader } from "../../../src/proxy_protocol/write_proxy_header.ts";
import { codeOf, concat, fromHex, fromText, inChunks, threeWays } from "../three_ways.ts";

const create = () => ({ read: readProxyHeader });
const SIGNATURE = "0d0a0d0a000d0a515549540a";
const TCP4 = "c0000201c0000202dc0401bb";

function read(bytes: Uint8Array): unknown {
  return threeWays(create, bytes, fromText("\u0016\u0003tail"));
}

/** A version 2 header with these fields, all in hexadecimal. */
function v2(command: string, family: string, rest: string, length = rest.length / 2): Uint8Array {
  return fromHex(SIGNATURE + command + family + length.toString(16).padStart(4, "0") + rest);
}

function tcp(ip: string, port: number): Endpoint {
  return { kind: "tcp", ip, port };
}

describe("what is no PROXY header", () => {
  test("is known at the first wrong byte", () => {
    for (const text of ["G", "\u0016", "PX", "PROXYx", "proxy", "\r\nX", "\r\n\r\n\u0000\r\nQUIX"]) {
      assert.equal(codeOf(read(fromText(text))), "not_proxy", JSON.stringify(text));
    }
    for (const text of ["", "P", "PROXY ", "\r\n\r\n\u0000\r\nQUIT\n"]) assert.equal(read(fromText(text)), NEED_MORE);
  });
});

describe("version 1", () => {
  const line = (text: string) => read(fromText(`PROXY ${text}\r\n`));

  test("TCP4, TCP6 and UNKNOWN", () => {
    assert.deepEqual(line("TCP4 192.0.2.1 192.0.2.2 56324 443"), {
      version: 1,
      command: "PROXY",
      source: tcp("192.0.2.1", 56324),
      destination: tcp("192.0.2.2", 443),
      bytes: 42,
    });
    const six = line("TCP6 2001:DB8:0::1 ::ffff:192.0.2.2 0 65535") as ProxyHeader;
    assert.deepEqual([six.source, six.destination], [tcp("2001:db8::1", 0), tcp("192.0.2.2", 65535)]);
    assert.deepEqual(line("UNKNOWN"), { version: 1, command: "PROXY", bytes: 15 });
    assert.deepEqual(line("UNKNOWN whatever  \u0000 it says"), { version: 1, command: "PROXY", bytes: 35 });
  });

  test("the specification's longest line", () => {
    const long = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    assert.equal((line(`UNKNOWN ${long} ${long} 65535 65535`) as ProxyHeader).bytes, 107);
    assert.equal(codeOf(line(`UNKNOWN ${long} ${long} 65535 65535 `)), "malformed_proxy_header");
    assert.equal(codeOf(read(fromText(`PROXY UNKNOWN ${"x".repeat(92)}`))), "malformed_proxy_header");
  });

  test("nothing else", () => {
    for (const text of [
      "",
      "TCP4",
      "UNKNOWNX",
      "unknown",
      "TCP5 192.0.2.1 192.0.2.2 1 2",
      "TCP4 192.0.2.1 192.0.2.2 1",
      "TCP4 192.0.2.1 192.0.2.2 1 2 ",
      "TCP4 192.0.2.1 192.0.2.2 1 2 3",
      "TCP4  192.0.2.1 192.0.2.2 1 2",
      "TCP4 192.0.2.01 192.0.2.2 1 2",
      "TCP4 192.0.2 192.0.2.2 1 2",
      "TCP4 192.0.2.1 192.0.2.2 01 2",
      "TCP4 192.0.2.1 192.0.2.2 +1 2",
      "TCP4 192.0.2.1 192.0.2.2 1 65536",
      "TCP4 192.0.2.1 192.0.2.2 1 0x2",
      "TCP4 ::1 192.0.2.2 1 2",
      "TCP6 ::1 192.0.2.2 1 2",
      "TCP6 [::1] ::1 1 2",
      "TCP6 fe80::1%eth0 ::1 1 2",
      "TCP4 a.test 192.0.2.2 1 2",
      "TCP4\t192.0.2.1 192.0.2.2 1 2",
      "TCP4 192.0.2.1 192.0.2.2 1 2\rx",
    ]) {
      assert.equal(codeOf(line(text)), "malformed_proxy_header", JSON.stringify(text));
    }
    assert.equal(read(fromText("PROXY UNKNOWN\n")), NEED_MORE);
  });
});

describe("version 2", () => {
  test("TCP over IPv4 and IPv6", () => {
    assert.deepEqual(read(v2("21", "11", TCP4)), {
      version: 2,
      command: "PROXY",
      source: tcp("192.0.2.1", 56324),
      destination: tcp("192.0.2.2", 443),
      bytes: 28,
    });
    const addresses = `20010db8${"0".repeat(23)}1${"0".repeat(20)}ffffc0000202`;
    const six = read(v2("21", "21", `${addresses}000101bb`)) as ProxyHeader;
    assert.deepEqual([six.source, six.destination, six.bytes], [tcp("2001:db8::1", 1), tcp("192.0.2.2", 443), 52]);
  });

  test("UNIX sockets", () => {
    const pad = (text: string) => concat(fromText(text), new Uint8Array(108 - text.length));
    const header = read(concat(v2("21", "31", "", 216), pad("/run/a"), pad(""))) as ProxyHeader;
    assert.deepEqual(
      [header.source, header.destination],
      [
        { kind: "unix", path: "/run/a" },
        { kind: "unix", path: "" },
      ],
    );
  });

  test("LOCAL, unspecified and datagrams say no addresses", () => {
    assert.deepEqual(read(v2("20", "00", "")), { version: 2, command: "LOCAL", bytes: 16 });
    assert.deepEqual(read(v2("20", "ff", "ffff")), { version: 2, command: "LOCAL", bytes: 18 });
    assert.deepEqual(read(v2("21", "00", "ffff")), { version: 2, command: "PROXY", bytes: 18 });
    assert.deepEqual(read(v2("21", "12", TCP4)), { version: 2, command: "PROXY", bytes: 28 });
  });

  test("other versions, commands and families are refused", () => {
    for (const command of ["11", "31", "22", "2f", "00"]) {
      assert.equal(codeOf(read(v2(command, "11", TCP4))), "malformed_proxy_header", command);
    }
    for (const family of ["01", "10", "13", "20", "30", "33", "41", "ff"]) {
      assert.equal(codeOf(read(v2("21", family, TCP4))), "malformed_proxy_header", family);
    }
  });

  test("lengths: too short for the addresses, too long at all", () => {
    assert.equal(codeOf(read(v2("21", "11", TCP4.slice(2)))), "malformed_proxy_header");
    assert.equal(codeOf(read(v2("21", "21", TCP4))), "malformed_proxy_header");
    assert.equal(codeOf(read(v2("21", "11", "", 4097))), "malformed_proxy_header");
    assert.equal(read(v2("21", "11", "", 4096)), NEED_MORE);
    assert.equal(read(v2("21", "11", TCP4, 13)), NEED_MORE);
  });

  test("TLVs are framed exactly", () => {
    assert.equal((read(v2("21", "11", `${TCP4}040000ea000161`)) as ProxyHeader).bytes, 35);
    for (const tlv of ["04", "0400", "040001", "0400000400", "030004000000"]) {
      assert.equal(codeOf(read(v2("21", "11", TCP4 + tlv))), "malformed_proxy_header", tlv);
    }
  });

  test("a checksum must match", () => {
    const header = v2("21", "11", `${TCP4}040001610300040000000005000162`);
    header.set(new Writer().uint32(crc32c(header, header.length, 35)).written(), 35);
    assert.deepEqual((read(header) as ProxyHeader).source, tcp("192.0.2.1", 56324));
    for (let at = 16; at < header.length; at++) {
      // The checksum's own type: with another one it is no checksum any more.
      if (at === 32) continue;
      const bad = header.slice();
      bad[at] = (bad[at] as number) ^ 1;
      assert.equal(codeOf(read(bad)), "malformed_proxy_header", `byte ${at}`);
    }
    assert.equal(codeOf(read(v2("21", "11", `${TCP4}030000`))), "malformed_proxy_header");
  });
});

test("crc32c gives RFC 3720 B.4's values", () => {
  const all = (bytes: Uint8Array) => crc32c(bytes, bytes.length, bytes.length);
  assert.equal(all(fromText("123456789")), 0xe3069283);
  assert.equal(all(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(all(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff, 0, 4), 32, 0), 0x8a9136aa);
});

describe("writeProxyHeader", () => {
  const text = (source: Endpoint, destination: Endpoint) => {
    const bytes = writeProxyHeader(1, source, destination);
    return latin1(bytes, 0, bytes.length);
  };
  const unix = (path: string): Endpoint => ({ kind: "unix", path });

  test("version 1", () => {
    assert.equal(text(tcp("192.0.2.1", 56324), tcp("192.0.2.2", 443)), "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n");
    assert.equal(text(tcp("2001:db8::1", 1), tcp("::1", 2)), "PROXY TCP6 2001:db8::1 ::1 1 2\r\n");
    assert.equal(text(tcp("2001:db8::1", 1), tcp("192.0.2.1", 2)), "PROXY UNKNOWN\r\n");
    assert.equal(text(unix("/a"), unix("/b")), "PROXY UNKNOWN\r\n");
  });

  test("version 2", () => {
    assert.deepEqual(writeProxyHeader(2, tcp("192.0.2.1", 56324), tcp("192.0.2.2", 443)), v2("21", "11", TCP4));
    assert.deepEqual(writeProxyHeader(2, tcp("::1", 1), tcp("192.0.2.1", 2)), v2("21", "00", ""));
    assert.deepEqual(writeProxyHeader(2, unix("/a"), tcp("::1", 2)), v2("21", "00", ""));
    assert.deepEqual(writeProxyHeader(2, unix("/\u00e4"), unix("/b")), v2("21", "00", ""));
    assert.deepEqual(writeProxyHeader(2, unix("/".repeat(109)), unix("/b")), v2("21", "00", ""));
    const header = readProxyHeader(writeProxyHeader(2, unix("/a"), unix("/".repeat(108)))) as ProxyHeader;
    assert.deepEqual([header.source, header.destination], [unix("/a"), unix("/".repeat(108))]);
  });

  test("what is written is read back", () => {
    const port = fc.nat(65535);
    const four = fc.ipV4();
    const six = fc.constantFrom("::", "::1", "2001:db8::1", "fe80::1:0:0:1", "1:2:3:4:5:6:7:8");
    const pair = fc.oneof(fc.tuple(four, port, four, port), fc.tuple(six, port, six, port));
    fc.assert(
      fc.property(fc.constantFrom(1 as const, 2 as const), pair, (version, [from, fromPort, to, toPort]) => {
        const bytes = writeProxyHeader(version, tcp(from, fromPort), tcp(to, toPort));
        const expected = { version, command: "PROXY", source: tcp(from, fromPort), destination: tcp(to, toPort) };
        assert.deepEqual(read(bytes), { ...expected, bytes: bytes.length });
      }),
    );
  });
});

test("nothing is thrown for random bytes, and chunks do not change the answer", () => {
  const start = fc.constantFrom(
    "",
    "P",
    "PROXY TCP4 ",
    "PROXY TCP6 ::1 ::1 ",
    latin1(fromHex(`${SIGNATURE}2111000c`), 0, 16),
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 150 }), fc.integer({ min: 1, max: 20 }), (begin, rest, size) => {
      const bytes = concat(fromText(begin), rest);
      assert.deepEqual(inChunks(create, bytes, [size]), readProxyHeader(bytes));
    }),
    { numRuns: 500 },
  );
});
