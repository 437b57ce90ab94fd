import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatConfigError, loadConfig } from "../../../src/config/load.ts";
import { parseVia, readPassword, viaText } from "../../../src/config/via_options.ts";

const toAscii = (name: string): string => name;
const parse = (text: string) => parseVia(text, toAscii);

/** The upstream's `via`, or the faults of the file. */
function via(text: string): unknown {
  const yaml = `listeners: [{ address: 10.0.0.1:443 }]\nroutes: { a.com: pool }\nupstreams: { pool: { servers: [10.0.0.2], via: ${text} } }`;
  const loaded = loadConfig(yaml, { path: "t", toAscii });
  return "config" in loaded
    ? loaded.config.upstreams.get("pool")!.via
    : loaded.errors.map(formatConfigError).join("\n");
}

describe("the URL of a proxy", () => {
  test("SOCKS5 and CONNECT, with and without a user", () => {
    const ip = { kind: "ip", ip: "10.0.0.9", port: 1080 };
    assert.deepEqual(parse("socks5://10.0.0.9:1080"), { protocol: "socks5", target: ip, username: undefined });
    assert.deepEqual(parse("socks5h://user@10.0.0.9:1080/"), { protocol: "socks5", target: ip, username: "user" });
    assert.deepEqual(parse("http://a%40b@Proxy.test:3128"), {
      protocol: "http",
      target: { kind: "host", name: "proxy.test", port: 3128 },
      username: "a@b",
    });
    assert.deepEqual(parse("socks5://[2001:DB8::1]:1"), {
      protocol: "socks5",
      target: { kind: "ip", ip: "2001:db8::1", port: 1 },
      username: undefined,
    });
  });

  test("what is none", () => {
    for (const [text, words] of [
      ["https://p:1", /TLS to the proxy is not spoken here/],
      ["ftp://p:1", /it must be a proxy such as/],
      ["10.0.0.9:1080", /it must be a proxy such as/],
      ["http://p", /the proxy's address: a host name needs a port/],
      ["http://10.0.0.1", /the proxy's port is missing/],
      ["http://p:1/path", /it must be a proxy such as/],
      ["http://unix:", /the proxy's address/],
      ["socks5://@p:1", /the user name must be printable/],
      ["socks5://%zz@p:1", /the user name must be printable/],
      ["socks5://%0a@p:1", /the user name must be printable/],
      [`socks5://${"u".repeat(256)}@p:1`, /longer than 255 bytes/],
      ["http://a%3Ab@p:1", /an HTTP user name has no colon/],
    ] as const) {
      const result = parse(text);
      assert.ok("error" in result, text);
      assert.match(result.error, words, text);
    }
  });

  test("in words, without the user", () => {
    const parsed = parse("socks5://user@[2001:db8::1]:1080");
    assert.ok(!("error" in parsed));
    assert.equal(viaText({ ...parsed, password: undefined }), "socks5://[2001:db8::1]:1080");
  });
});

describe("via in a configuration", () => {
  test("short and long", () => {
    assert.deepEqual(via("socks5://10.0.0.9:1080"), {
      protocol: "socks5",
      target: { kind: "ip", ip: "10.0.0.9", port: 1080 },
      username: undefined,
      password: undefined,
    });
    const long = via("{ url: 'http://me@p.test:3128', passwordFile: /run/secret }") as { password: unknown };
    assert.deepEqual(long.password, { kind: "file", path: "/run/secret" });
    const env = via("{ url: 'http://me@p.test:3128', passwordEnv: PW }") as { password: unknown };
    assert.deepEqual(env.password, { kind: "env", name: "PW" });
  });

  test("a password in the URL is refused, and shown to nobody", () => {
    for (const text of ["'socks5://me:s3cret@p.test:1'", "{ url: 'http://me:s3cret@p.test:1' }"]) {
      const faults = String(via(text));
      assert.match(
        faults,
        /Cannot use upstreams\.pool\.via.*: a password does not belong in the configuration; write via/,
      );
      assert.doesNotMatch(faults, /s3cret/);
    }
  });

  test("faults", () => {
    assert.match(String(via("5")), /it must be a proxy such as .*, or a map with url/);
    assert.match(String(via("{ url: 'http://p.test:1', passwordEnv: PW }")), /no user name in the url/);
    assert.match(String(via("{ url: 'http://u@p.test:1', passwordEnv: PW, passwordFile: f }")), /not both/);
    assert.match(String(via("{ url: 'http://u@p.test:1', passwordEnv: 'A B' }")), /name of an environment variable/);
    assert.match(
      String(via("{ url: 'http://u@p.test:1', password: x }")),
      /the key 'password' in upstreams\.pool\.via/,
    );
  });
});

describe("a password", () => {
  test("is one line; its end does not count", () => {
    assert.deepEqual(readPassword("s3cret\n"), { password: "s3cret" });
    assert.deepEqual(readPassword("s3 cret\r\n"), { password: "s3 cret" });
    for (const text of ["", "\n", "a\nb\n", "a\0", "ä".repeat(128)]) assert.ok("error" in readPassword(text));
  });
});
