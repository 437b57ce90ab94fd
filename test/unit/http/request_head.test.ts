import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { NEED_MORE, ParseError } from "../../../src/errors.ts";
import { MAX_HEAD_BYTES, type RequestHead, RequestHeadReader } from "../../../src/http/request_head.ts";
import { codeOf, counted, fromText, inChunks, threeWays } from "../three_ways.ts";

const create = () => new RequestHeadReader();

function read(text: string): unknown {
  return threeWays(create, fromText(text), fromText("GET /tail HTTP/1.1\r\n"));
}

/** A head of the given lines. */
function lines(...all: readonly string[]): string {
  return `${all.join("\r\n")}\r\n\r\n`;
}

function good(...all: readonly string[]): RequestHead {
  const answer = read(lines(...all));
  assert.ok(answer !== NEED_MORE && !(answer instanceof ParseError), codeOf(answer));
  assert.equal((answer as RequestHead).bytes, lines(...all).length);
  return answer as RequestHead;
}

/** The error for a GET with Host and these fields. */
function codeWith(...fields: readonly string[]): string {
  return codeOf(read(lines("GET / HTTP/1.1", "Host: a.test", ...fields)));
}

describe("a request head", () => {
  test("is read whole", () => {
    assert.deepEqual(good("POST /p?q=1 HTTP/1.1", "Host: Shop.Example.test:8080", "Content-Length: 12", "X:"), {
      method: "POST",
      version: "1.1",
      host: "shop.example.test",
      hostHeader: "Shop.Example.test:8080",
      target: "/p?q=1",
      bytes: 78,
      body: { kind: "length", length: 12 },
      upgrade: false,
    });
  });

  test("blanks around a value do not belong to it", () => {
    assert.equal(good("GET / HTTP/1.1", "host:\t  a.test \t").hostHeader, "a.test");
  });

  test("HTTP/1.0 needs no Host", () => {
    const head = good("GET / HTTP/1.0");
    assert.deepEqual([head.version, head.host, head.hostHeader], ["1.0", undefined, ""]);
    assert.equal(good("GET / HTTP/1.0", "Host: a.test").host, "a.test");
  });

  test("bodies: none, of a length, chunked", () => {
    assert.deepEqual(good("GET / HTTP/1.1", "Host: a.test").body, { kind: "none" });
    assert.deepEqual(good("GET / HTTP/1.1", "Host: a.test", "Content-Length: 0").body, { kind: "length", length: 0 });
    assert.deepEqual(good("GET / HTTP/1.1", "Host: a.test", "Transfer-Encoding: Chunked").body, { kind: "chunked" });
  });
});

describe("what is no HTTP/1 request", () => {
  test("is known as early as can be", () => {
    for (const text of ["\u0016", "\u0000", " ", "\r", "\n", "\u0080", "(", "GET\t", "GET\r", "A".repeat(33)]) {
      assert.equal(codeOf(read(text)), "not_http", JSON.stringify(text));
    }
    assert.equal(read("A".repeat(32)), NEED_MORE);
    assert.equal(codeOf(read("SSH-2.0-OpenSSH\r")), "not_http");
  });

  test("CONNECT is refused by its name, in this spelling only", () => {
    assert.equal(codeOf(read("CONNECT ")), "connect_refused");
    assert.equal(codeOf(read("connect a.test:443 ")), "bad_target");
  });

  test("versions", () => {
    for (const text of ["GET / HTTP/2", "GET / HTTP/1.2", "GET / http", "GET / HTTPS", "GET /  ", "PRI /x HTTP/2"]) {
      assert.equal(codeOf(read(text)), "bad_version", text);
    }
    for (const text of ["GET / HTTP/1.1 ", "GET / HTTP/1.1\n", "GET / HTTP/1.10", "GET / HTTP/1.1\rX"]) {
      assert.equal(codeOf(read(text)), "bad_line_end", text);
    }
    assert.equal(codeOf(read("GET /\r")), "bad_target");
  });
});

describe("request-target", () => {
  test("origin-form passes as it is", () => {
    assert.equal(good("GET //x/../%2e?a{}|'\"=1 HTTP/1.1", "Host: a.test").target, "//x/../%2e?a{}|'\"=1");
  });

  test("absolute-form says the host", () => {
    const head = good("GET http://A.test:8080/p HTTP/1.1", "Host: a.TEST:8080");
    assert.deepEqual([head.host, head.hostHeader, head.target], ["a.test", "A.test:8080", "http://A.test:8080/p"]);
    assert.equal(good("GET http://a.test HTTP/1.0").host, "a.test");
    assert.equal(good("GET HTTP://a.test?q HTTP/1.1", "Host: a.test:80").host, "a.test");
    assert.equal(good("GET http://[2001:DB8::1]/ HTTP/1.1", "Host: [2001:db8::1]").host, undefined);
  });

  test("absolute-form and another Host are refused", () => {
    for (const host of ["b.test", "a.test:81", "", "192.0.2.1"]) {
      const answer = read(lines("GET http://a.test/ HTTP/1.1", `Host: ${host}`));
      assert.equal(codeOf(answer), "host_mismatch", host);
    }
    assert.equal(codeOf(read(lines("GET http://a.test/ HTTP/1.1", "X: y"))), "missing_host");
  });

  test("asterisk-form is for OPTIONS", () => {
    assert.equal(good("OPTIONS * HTTP/1.1", "Host: a.test").target, "*");
    assert.equal(codeOf(read("GET * ")), "bad_target");
  });

  test("other forms are refused", () => {
    const targets = [
      "a.test:80",
      "https://a.test/",
      "ftp://a.test/",
      "http:///p",
      "http://u@a.test/",
      "http://a.test:x/",
    ];
    for (const target of [...targets, "http://a.test\\@b.test/", "http://*.test/", "http://a.test:99999/", "?q"]) {
      assert.equal(codeOf(read(`GET ${target} `)), "bad_target", target);
    }
    for (const target of ["/#", "/\u0080", "/\u0000", "/\t", " ", "/\u007f"]) {
      assert.equal(codeOf(read(`GET ${target}`)), "bad_target", JSON.stringify(target));
    }
  });
});

describe("Host", () => {
  const host = (value: string) => read(lines("GET / HTTP/1.1", `Host: ${value}`));

  test("names are normalised, addresses and nothing are no name", () => {
    for (const [value, name] of [
      ["a.TEST.", "a.test"],
      ["a.test:", "a.test"],
      ["a.test:65535", "a.test"],
      ["my_shop.test", "my_shop.test"],
      ["", undefined],
      ["192.0.2.1", undefined],
      ["192.0.2.1:80", undefined],
      ["[2001:db8::1]", undefined],
      ["[::ffff:192.0.2.1]:80", undefined],
    ] as const) {
      const head = host(value) as RequestHead;
      assert.deepEqual([head.host, head.hostHeader], [name, value]);
    }
  });

  test("what is neither a name nor an address is refused", () => {
    const values = [
      "a b",
      "a.test,b.test",
      "a@b.test",
      "*.test",
      "a..b",
      ".",
      ":80",
      "a.test:65536",
      "a.test:+1",
      "a.test:80:80",
    ];
    const literals = ["[192.0.2.1]", "[::1", "::1", "[fe80::1%eth0]", "[v1.x]", "[]", "[::1]x"];
    for (const value of [...values, ...literals, "a.test/x", "\u00e4.test", `${"a".repeat(64)}.test`, "a%2etest"]) {
      assert.equal(codeOf(host(value)), "bad_host", value);
    }
  });

  test("two, or none in HTTP/1.1, are refused", () => {
    assert.equal(codeWith("Host: a.test"), "duplicate_host");
    assert.equal(codeWith("hOST: b.test"), "duplicate_host");
    assert.equal(codeOf(read(lines("GET / HTTP/1.1", "X-Host: a.test"))), "missing_host");
    assert.equal(codeOf(read(lines("GET / HTTP/1.0", "Host: a.test", "Host: a.test"))), "duplicate_host");
  });
});

describe("framing", () => {
  test("Content-Length is one plain number", () => {
    for (const value of ["", "+1", "-1", "1,1", "0x10", "1 1", "1.0", "1e3", "9999999999999999", "\u00b2"]) {
      assert.equal(codeWith(`Content-Length: ${value}`), "bad_content_length", value);
    }
    assert.equal(codeWith("Content-Length: 1", "Content-Length: 1"), "bad_content_length");
  });

  test("Transfer-Encoding is chunked, once", () => {
    for (const value of [
      "",
      "gzip",
      "chunked, chunked",
      "gzip, chunked",
      "chunked, identity",
      "xchunked",
      "chunked;a",
    ]) {
      assert.equal(codeWith(`Transfer-Encoding: ${value}`), "bad_transfer_encoding", value);
    }
    assert.equal(codeWith("Transfer-Encoding: chunked", "transfer-encoding: chunked"), "bad_transfer_encoding");
    assert.equal(codeOf(read(lines("POST / HTTP/1.0", "Transfer-Encoding: chunked"))), "bad_transfer_encoding");
  });

  test("both are ambiguous", () => {
    assert.equal(codeWith("Transfer-Encoding: chunked", "Content-Length: 5"), "ambiguous_length");
    assert.equal(codeWith("Content-Length: 5", "Transfer-Encoding: chunked"), "ambiguous_length");
  });
});

describe("fields", () => {
  test("lines end with CRLF and nothing else", () => {
    assert.equal(codeWith("X: a\nHost: b.test"), "bad_line_end");
    assert.equal(codeWith("X: a\rY: b"), "bad_line_end");
    assert.equal(codeOf(read("GET / HTTP/1.1\r\nHost: a.test\r\n\n")), "bad_field");
    assert.equal(codeOf(read("GET / HTTP/1.1\r\nHost: a.test\r\n\rX")), "bad_line_end");
  });

  test("no folding, no blank before the colon, no empty name", () => {
    assert.equal(codeWith(" folded"), "folded_field");
    assert.equal(codeWith("X: a", "\tb"), "folded_field");
    assert.equal(codeOf(read("GET / HTTP/1.1\r\n Host: a.test\r\n")), "folded_field");
    for (const field of ["X : a", "X\t: a", ": a", "X", "X Y: a", "\u00e4: a", "X\u0000: a"]) {
      assert.equal(codeWith(field), "bad_field", JSON.stringify(field));
    }
  });

  test("no control characters in values, other bytes pass", () => {
    for (const char of ["\u0000", "\u001b", "\u007f", "\u000b"]) assert.equal(codeWith(`X: a${char}b`), "bad_field");
    assert.equal(good("GET / HTTP/1.1", "Host: a.test", "X: \u0080\u00ff\ta").host, "a.test");
  });

  test("256 are read, one more is not", () => {
    const fields = Array.from({ length: 256 }, (_, index) => `X-${index}: y`);
    assert.equal(codeWith(...fields), "too_many_fields");
    assert.equal(good("GET / HTTP/1.1", "Host: a.test", ...fields.slice(1)).host, "a.test");
  });

  test("64 KiB is the limit", () => {
    const start = "GET / HTTP/1.0\r\nX: ";
    const full = `${start}${"y".repeat(MAX_HEAD_BYTES - start.length - 4)}\r\n\r\n`;
    const answer = create().read(fromText(full)) as RequestHead;
    assert.equal(answer.bytes, MAX_HEAD_BYTES);
    const over = fromText(full.replace("X: ", "X: y"));
    assert.equal(codeOf(create().read(over)), "head_too_large");
    assert.deepEqual(inChunks(create, over, [9999]), create().read(over));
  });
});

describe("upgrade", () => {
  const upgrade = (...fields: readonly string[]) => good("GET / HTTP/1.1", "Host: a.test", ...fields).upgrade;

  test("needs both fields and HTTP/1.1", () => {
    assert.equal(upgrade("Connection: keep-alive, Upgrade", "Upgrade: websocket"), true);
    assert.equal(upgrade("Connection: keep-alive", "connection: UPGRADE", "Upgrade: chat/2"), true);
    assert.equal(upgrade("Connection: Upgrade"), false);
    assert.equal(upgrade("Connection: Upgrade", "Upgrade: "), false);
    assert.equal(upgrade("Upgrade: websocket"), false);
    assert.equal(good("GET / HTTP/1.0", "Connection: Upgrade", "Upgrade: websocket").upgrade, false);
  });

  test("to HTTP in another version is none", () => {
    for (const protocol of ["h2c", "H2C", "h2c-14", "websocket, h2c", "HTTP/2.0", "h2", "h3", "spdy/3.1", "TLS/1.0"]) {
      assert.equal(upgrade("Connection: Upgrade, HTTP2-Settings", `Upgrade: ${protocol}`), false, protocol);
    }
  });
});

describe("properties", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
  const start = fc.constantFrom("", "GET / HTTP/1.1\r\n", "POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\n");
  const text = fc.string({ unit: fc.constantFrom(..."\r\n\t :,aHost/1.0\u0000\u00ff"), maxLength: 60 });

  test("nothing is thrown, and chunks do not change the answer", () => {
    fc.assert(
      fc.property(start, text, sizes, (begin, rest, chunks) => {
        const bytes = fromText(`${begin}${rest}\r\n\r\n`);
        assert.deepEqual(inChunks(create, bytes, chunks), create().read(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test("a drip looks at every byte a few times at most", () => {
    const bytes = fromText(
      lines("GET / HTTP/1.1", "Host: a.test", `X: ${"y".repeat(20000)}`, `Y: ${"z".repeat(20000)}`),
    );
    const counter = { bytes: 0 };
    const reader = create();
    let answer: unknown = NEED_MORE;
    for (let length = 1; answer === NEED_MORE; length++)
      answer = reader.read(counted(bytes.subarray(0, length), counter));
    assert.equal((answer as RequestHead).bytes, bytes.length);
    assert.ok(counter.bytes < 5 * bytes.length, `${counter.bytes}`);
  });
});
