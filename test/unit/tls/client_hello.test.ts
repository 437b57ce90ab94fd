import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { NEED_MORE, ParseError } from "../../../src/errors.ts";
import { type ClientHello, ClientHelloReader } from "../../../src/tls/client_hello.ts";
import { codeOf, concat, counted, fromHex, fromText, inChunks, threeWays } from "../three_ways.ts";
import {
  alpn,
  extension,
  type HelloParts,
  hello,
  helloBody,
  message,
  name,
  record,
  records,
  serverName,
  uint16,
  vector16,
} from "./hello_builder.ts";

const create = () => new ClientHelloReader();
const TAIL = record(fromText("0-RTT data"), 23);
const NAME = serverName(name("shop.example.test"));

function read(bytes: Uint8Array): ReturnType<ClientHelloReader["read"]> {
  return threeWays(create, bytes, TAIL) as ReturnType<ClientHelloReader["read"]>;
}

function readGood(bytes: Uint8Array): ClientHello {
  const answer = read(bytes);
  assert.ok(answer !== NEED_MORE && !(answer instanceof ParseError), codeOf(answer));
  assert.equal(answer.bytes, bytes.length);
  return answer;
}

function codeWith(parts: HelloParts): string {
  return codeOf(read(hello(parts)));
}

describe("a hello's fields", () => {
  test("everything that routing needs is read", () => {
    const extensions = concat(
      extension(0x1a1a),
      NAME,
      alpn("h2", "\u00e4\u0000"),
      extension(43, fromHex("061a1a03040303")),
      extension(0xfe0d, fromHex("01")),
    );
    assert.deepEqual(
      { ...readGood(hello({ extensions, version: 0x0302 })) },
      {
        serverName: "shop.example.test",
        alpn: ["h2", "\u00e4\u0000"],
        versions: [0x1a1a, 0x0304, 0x0303],
        legacyVersion: 0x0302,
        ech: true,
        bytes: hello({ extensions }).length,
      },
    );
  });

  test("no extensions field, and an empty one", () => {
    for (const extensions of [undefined, new Uint8Array(0)]) {
      const answer = readGood(hello({ extensions }));
      assert.equal(answer.serverName, undefined);
      assert.deepEqual([answer.alpn, answer.versions, answer.ech], [[], [], false]);
    }
  });

  test("a session id has 32 bytes at most", () => {
    assert.equal(readGood(hello({ session: new Uint8Array(32), extensions: NAME })).serverName, "shop.example.test");
    assert.equal(codeWith({ session: new Uint8Array(33), extensions: NAME }), "decode_error");
  });

  test("cipher suites come in pairs of bytes, one suite at least", () => {
    assert.equal(codeWith({ ciphers: new Uint8Array(0), extensions: NAME }), "decode_error");
    assert.equal(codeWith({ ciphers: new Uint8Array(3), extensions: NAME }), "decode_error");
  });

  test("one compression method at least; which ones is the server's affair", () => {
    assert.equal(codeWith({ compressions: new Uint8Array(0), extensions: NAME }), "decode_error");
    assert.equal(
      readGood(hello({ compressions: Uint8Array.of(1, 0), extensions: NAME })).serverName,
      "shop.example.test",
    );
  });

  test("every cut of a good body is refused", () => {
    const body = helloBody({ extensions: concat(NAME, alpn("h2")) });
    // A hello that ends before its extensions is whole, hence not refused.
    const whole = helloBody({}).length;
    for (let length = 0; length < body.length; length++) {
      const answer = read(record(message(body.subarray(0, length))));
      if (length === whole) assert.equal((answer as ClientHello).serverName, undefined);
      else assert.equal(codeOf(answer), "decode_error", `${length} bytes`);
    }
  });

  test("a byte behind the extensions is refused", () => {
    assert.equal(codeWith({ extensions: NAME, trailer: Uint8Array.of(0) }), "decode_error");
    assert.equal(codeWith({ extensions: new Uint8Array(0), trailer: NAME }), "decode_error");
  });
});

describe("extensions", () => {
  test("a second of one type is refused, wherever its number lies", () => {
    for (const type of [5, 31, 32, 51, 63, 64, 0x1234, 0x2a2a, 0xffff]) {
      assert.equal(codeWith({ extensions: concat(extension(type), NAME, extension(type)) }), "illegal_parameter");
    }
  });

  test("numbers that share low bits are no duplicates", () => {
    const extensions = concat(
      ...[1, 33, 65, 97, 0x0101, 0x2001, 31, 63, 95, 32, 64].map((type) => extension(type)),
      NAME,
    );
    assert.equal(readGood(hello({ extensions })).serverName, "shop.example.test");
  });

  test("pre_shared_key must be the last one", () => {
    assert.equal(readGood(hello({ extensions: concat(NAME, extension(41)) })).serverName, "shop.example.test");
    assert.equal(codeWith({ extensions: concat(extension(41), NAME) }), "illegal_parameter");
  });

  test("16,000 of them are read, and a duplicate among them is found", () => {
    const types = Array.from({ length: 16000 }, (_, index) => extension(1000 + index));
    assert.equal(readGood(records(message(helloBody({ extensions: concat(...types) })), 16384)).serverName, undefined);
    const again = concat(...types, extension(1000));
    assert.equal(codeOf(read(records(message(helloBody({ extensions: again })), 16384))), "illegal_parameter");
  });

  test("an extension that runs past the block is refused", () => {
    assert.equal(codeWith({ extensions: concat(NAME, fromHex("12340028414243")) }), "decode_error");
    assert.equal(codeWith({ extensions: concat(NAME, fromHex("123400")) }), "decode_error");
  });
});

describe("server_name", () => {
  const code = (data: Uint8Array) => codeWith({ extensions: extension(0, data) });

  test("lengths must fit exactly", () => {
    const list = name("a.test");
    assert.equal(code(new Uint8Array(0)), "decode_error");
    assert.equal(code(uint16(0)), "decode_error");
    assert.equal(code(concat(vector16(list), Uint8Array.of(0))), "decode_error");
    assert.equal(code(concat(uint16(list.length + 1), list)), "decode_error");
    assert.equal(code(vector16(concat(list, Uint8Array.of(1)))), "decode_error");
    assert.equal(code(vector16(concat(Uint8Array.of(0), uint16(7), fromText("a.test")))), "decode_error");
  });

  test("an empty host_name is refused", () => {
    assert.equal(code(vector16(name(""))), "decode_error");
  });

  test("two names of one type are refused, host names or others", () => {
    assert.equal(code(vector16(concat(name("a.test"), name("b.test")))), "illegal_parameter");
    assert.equal(code(vector16(concat(name("a.test"), name("a.test")))), "illegal_parameter");
    assert.equal(code(vector16(concat(name("x", 9), name("a.test"), name("y", 9)))), "illegal_parameter");
  });

  test("names of other types are skipped", () => {
    const only = serverName(name("x", 255), name("", 7));
    assert.equal(readGood(hello({ extensions: only })).serverName, undefined);
    const both = serverName(name("x", 255), name("a.test"), name("y", 1));
    assert.equal(readGood(hello({ extensions: both })).serverName, "a.test");
  });

  test("what is no host name is refused", () => {
    for (const text of ["*.a.test", "192.0.2.1", "a b", "a\u0000.test", ".", "a..b", "a.test:443", "a".repeat(64)]) {
      assert.equal(code(vector16(name(text))), "illegal_parameter", text);
    }
  });

  test("upper case and one trailing dot are normalised", () => {
    assert.equal(
      readGood(hello({ extensions: serverName(name("Shop.EXAMPLE.test.")) })).serverName,
      "shop.example.test",
    );
  });
});

describe("ALPN and supported_versions", () => {
  test("broken lists are refused", () => {
    for (const hex of ["", "0000", "000100", "0003026832ff", "0004026832", "000402683200", "000404683268"]) {
      assert.equal(codeWith({ extensions: extension(16, fromHex(hex)) }), "decode_error", hex);
    }
    for (const hex of ["", "00", "0103", "03030403", "020304ff", "040304"]) {
      assert.equal(codeWith({ extensions: extension(43, fromHex(hex)) }), "decode_error", hex);
    }
  });
});

describe("records", () => {
  const good = message(helloBody({ extensions: concat(NAME, alpn("h2")) }));

  test("any record size gives the same hello", () => {
    for (const size of [1, 2, 3, 4, 5, 50, good.length - 1, good.length]) {
      assert.equal(readGood(records(good, size)).serverName, "shop.example.test", `${size}`);
    }
  });

  test("what is no TLS is known by its first byte, or its second", () => {
    for (const text of ["G", "\u0080", "\n", "S", "\u0013", "\u0019"])
      assert.equal(codeOf(read(fromText(text))), "not_tls");
    assert.equal(codeOf(read(fromHex("1604"))), "not_tls");
    assert.equal(codeOf(read(fromHex("16fe"))), "not_tls");
    assert.equal(codeOf(read(fromHex("1502"))), "not_tls");
  });

  test("other content types and messages are unexpected, as soon as they show", () => {
    for (const hex of ["1503", "1403", "1703", "1803", "160301002d00", "160301002d14", "160301002d47"]) {
      assert.equal(codeOf(read(fromHex(hex))), "unexpected_message", hex);
    }
  });

  test("nothing may come between a hello's records", () => {
    const first = record(good.subarray(0, 20));
    const rest = record(good.subarray(20));
    for (const type of [20, 21, 23, 24, 0x47]) {
      assert.equal(codeOf(read(concat(first, record(fromText("x"), type), rest))), "unexpected_message");
    }
    assert.equal(codeOf(read(concat(first, record(new Uint8Array(0)), rest))), "decode_error");
    assert.equal(codeOf(read(concat(record(new Uint8Array(0)), first, rest))), "decode_error");
    assert.equal(codeOf(read(concat(first, record(good.subarray(20), 22, 0x0401)))), "decode_error");
  });

  test("the minor version of a record means nothing", () => {
    for (const version of [0x0300, 0x0303, 0x0304, 0x03ff]) {
      assert.ok(!(read(record(good, 22, version)) instanceof ParseError));
    }
  });

  test("a hello ends where its record ends", () => {
    assert.equal(codeOf(read(record(concat(good, Uint8Array.of(0))))), "unexpected_message");
    assert.equal(codeOf(read(record(concat(good, good)))), "unexpected_message");
  });

  test("too long a record, too long a hello and an empty one are refused by their lengths", () => {
    assert.equal(codeOf(read(fromHex("1603014001"))), "record_overflow");
    assert.equal(read(fromHex("1603014000")), NEED_MORE);
    assert.equal(codeOf(read(fromHex("160301400001ffffff"))), "hello_too_large");
    assert.equal(codeOf(read(fromHex("16030140000100fffd"))), "hello_too_large");
    assert.equal(read(fromHex("16030140000100fffc")), NEED_MORE);
    assert.equal(codeOf(read(fromHex("160301000401000000"))), "decode_error");
  });

  test("an error's offset is the wire's, record headers counted", () => {
    const bad = message(helloBody({ extensions: concat(NAME, extension(9), extension(9)) }));
    const answers = [bad.length, 40, 1].map((size) => read(records(bad, size)));
    const offsets = answers.map((answer) => (answer as ParseError).offset);
    const inMessage = (offsets[0] as number) - 5;
    assert.ok(inMessage > 4 && inMessage <= bad.length);
    assert.equal(offsets[1], inMessage + 5 * Math.ceil(inMessage / 40));
    assert.equal(offsets[2], inMessage + 5 * inMessage);
  });
});

describe("properties", () => {
  const parts = fc.record({
    version: fc.constantFrom(0x0300, 0x0301, 0x0303, 0x0505),
    session: fc.uint8Array({ maxLength: 32 }),
    extensions: fc
      .uniqueArray(fc.tuple(fc.integer({ min: 44, max: 65535 }), fc.uint8Array({ maxLength: 40 })), {
        selector: ([type]) => type,
        maxLength: 20,
      })
      .map((list) => concat(...list.map(([type, data]) => extension(type, data)), NAME, alpn("h2", "http/1.1"))),
  });
  const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 });

  test("any chunks and any records give the same hello", () => {
    fc.assert(
      fc.property(parts, sizes, fc.integer({ min: 1, max: 300 }), (some, chunks, size) => {
        const payload = message(helloBody(some));
        const wire = records(payload, size);
        const { bytes, ...chunked } = inChunks(create, wire, chunks) as ClientHello;
        const { bytes: _, ...whole } = create().read(record(payload)) as ClientHello;
        assert.deepEqual(chunked, whole);
        assert.equal(bytes, wire.length);
        assert.equal(chunked.serverName, "shop.example.test");
      }),
    );
  });

  test("nothing is thrown for random bytes, and chunks do not change the answer", () => {
    const start = fc.constantFrom("", "16", "160301", "1603010040010000", "16030100400100003c0303");
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), sizes, (hex, bytes, chunks) => {
        const wire = concat(fromHex(hex), bytes);
        assert.deepEqual(inChunks(create, wire, chunks), create().read(wire));
      }),
    );
  });

  test("nothing is thrown for a good hello with a few bytes changed", () => {
    const changes = fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(parts, changes, sizes, (some, list, chunks) => {
        const wire = hello(some);
        for (const [at, value] of list) wire[at % wire.length] = value;
        assert.deepEqual(inChunks(create, wire, chunks), create().read(wire));
      }),
      { numRuns: 500 },
    );
  });
});

describe("work", () => {
  /** Bytes looked at while `wire` comes in one by one. */
  function drip(wire: Uint8Array): number {
    const counter = { bytes: 0 };
    const reader = create();
    let answer: unknown = NEED_MORE;
    for (let length = 1; answer === NEED_MORE && length <= wire.length; length++) {
      answer = reader.read(counted(wire.subarray(0, length), counter));
    }
    assert.ok(answer !== NEED_MORE);
    return counter.bytes;
  }

  test("a drip of 64 KiB looks at every byte a few times at most, in one record or in thousands", () => {
    const big = message(helloBody({ extensions: concat(NAME, extension(21, new Uint8Array(60000))) }));
    for (const size of [16384, 100, 7]) {
      const wire = records(big, size);
      const looks = drip(wire);
      assert.ok(looks < 4 * wire.length, `${looks} looks at ${wire.length} bytes`);
    }
  });

  test("thousands of extensions are as linear", () => {
    const extensions = concat(NAME, ...Array.from({ length: 15000 }, (_, index) => extension(1000 + index)));
    const wire = records(message(helloBody({ extensions })), 16384);
    assert.ok(drip(wire) < 4 * wire.length);
  });
});
