import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  canonicalIp,
  cidrNetwork,
  classifyIp,
  formatEndpoint,
  formatIp,
  type IpClass,
  parseCidr,
  parseEndpoint,
  parseIp,
  parsePort,
  sameEndpoint,
} from "../../src/address.ts";
import { type CidrSet, createCidrSet, holdsAddress } from "../../src/cidr_set.ts";

const ipBytes = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Runs of zeros, which the canonical form shortens.
  fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((bytes) => Uint8Array.from(bytes)),
);

describe("parseIp", () => {
  const canonical: Record<string, string> = {
    "0.0.0.0": "0.0.0.0",
    "255.255.255.255": "255.255.255.255",
    "::": "::",
    "::1": "::1",
    "1::": "1::",
    "2001:DB8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
    "2001:db8:0:1:1:1:1:1": "2001:db8:0:1:1:1:1:1",
    "2001:0:0:1:0:0:0:1": "2001:0:0:1::1",
    "1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0",
    "::2:3:4:5:6:7:8": "0:2:3:4:5:6:7:8",
    "0001:02:003:4:5:6:7:8": "1:2:3:4:5:6:7:8",
    "::ffff:1.2.3.4": "1.2.3.4",
    "::FFFF:102:304": "1.2.3.4",
    "64:ff9b::1.2.3.4": "64:ff9b::102:304",
    "1:2:3:4:5:6:1.2.3.4": "1:2:3:4:5:6:102:304",
    "::1.2.3.4": "::102:304",
  };
  for (const [text, expected] of Object.entries(canonical)) {
    test(`${text} is ${expected}`, () => assert.equal(canonicalIp(text), expected));
  }

  const refused =
    "|1|1.2.3|1.2.3.4.|.1.2.3.4|1.2.3.4.5|1..3.4|01.2.3.4|1.2.3.04|00.0.0.0|1.2.3.256|1.2.3.-4|1.2.3.4 | 1.2.3.4|0x1.2.3.4|127.1|" +
    "2130706433|1.2.3.a|+1.2.3.4|:|:::|1:::2|:1|1:|::1:|1::2::3|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1:2:3:4:5:6:7:8::|::1:2:3:4:5:6:7:8|" +
    "12345::|g::|fe80::1%eth0|[::1]|::1/64|1.2.3.4::|::1.2.3|::1.2.3.4:5|::ffff:1.2.3.4.5|1:2:3:4:5:6:7:1.2.3.4|::01.2.3.4|::1 | ::1|" +
    "１.2.3.4|::ffff:1.2.3.256";
  for (const text of refused.split("|")) {
    test(`'${text}' is no address`, () => assert.equal(parseIp(text), undefined));
  }

  test("an IPv4-mapped address has family 4", () => {
    assert.deepEqual(parseIp("::ffff:1.2.3.4"), { family: 4, bytes: Uint8Array.of(1, 2, 3, 4) });
  });

  test("what formatIp writes, parseIp reads", () => {
    fc.assert(
      fc.property(ipBytes, (bytes) => {
        const text = formatIp(bytes);
        const parsed = parseIp(text);
        assert.ok(parsed);
        assert.equal(formatIp(parsed.bytes), text);
        if (parsed.bytes.length === bytes.length) assert.deepEqual(parsed.bytes, bytes);
      }),
    );
  });

  test("any text gives an address or undefined", () => {
    const piece = fc.constantFrom("1", "0", "255", "ffff", ":", "::", ".", "/", "%", "a", "-");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const ip = parseIp(pieces.join(""));
        assert.equal(ip?.bytes.length, ip && (ip.family === 4 ? 4 : 16));
      }),
    );
  });

  test("formatIp refuses other lengths", () => assert.throws(() => formatIp(new Uint8Array(5)), RangeError));
});

describe("endpoints", () => {
  for (const text of ["1.2.3.4:443", "[2001:db8::1]:65535", "unix:/run/a b.sock", "1.2.3.4:1"]) {
    test(`${text} comes back`, () => {
      const endpoint = parseEndpoint(text);
      assert.ok(endpoint);
      assert.equal(formatEndpoint(endpoint), text);
    });
  }

  const refused = [
    ..."|443|:443|*:443|localhost:443|1.2.3.4|1.2.3.4:|1.2.3.4:0|1.2.3.4:0443|1.2.3.4:65536|1.2.3.4:-1|1.2.3.4:4a".split(
      "|",
    ),
    ..."[1.2.3.4]:443|::1:443|[::1]|[::1]443|[::1:443|::1]:443|[]:443|[::1%lo]:443|unix:|unix:/|unix:run/a".split("|"),
    "unix:/a\0b",
    "unix:/a\n",
    `unix:/${"x".repeat(107)}`,
    `unix:/${"ü".repeat(54)}`,
  ];
  for (const text of refused) {
    test(`${JSON.stringify(text.slice(0, 30))} is no endpoint`, () => assert.equal(parseEndpoint(text), undefined));
  }

  test("a unix path may have 107 bytes", () => assert.ok(parseEndpoint(`unix:/${"x".repeat(106)}`)));

  test("port 0 only when asked for", () => {
    assert.deepEqual(parseEndpoint("[::]:0", { allowPortZero: true }), { kind: "tcp", ip: "::", port: 0 });
    assert.equal(parsePort("0"), undefined);
    assert.equal(parsePort("00", true), undefined);
  });

  test("addresses are canonical, so that equal endpoints are the same", () => {
    const a = parseEndpoint("[::ffff:1.2.3.4]:443");
    const b = parseEndpoint("1.2.3.4:443");
    const c = parseEndpoint("unix:/a");
    assert.ok(a && b && c);
    assert.equal(sameEndpoint(a, b), true);
    assert.equal(sameEndpoint(a, c), false);
    assert.equal(sameEndpoint(c, a), false);
    assert.equal(sameEndpoint(c, { kind: "unix", path: "/a" }), true);
    assert.equal(sameEndpoint(b, { kind: "tcp", ip: "1.2.3.4", port: 80 }), false);
  });
});

describe("networks", () => {
  const refused =
    "|/8|10.0.0.0/|10.0.0.0/33|10.0.0.0/08|10.0.0.0/-1|10.0.0.1/8|10.0.0.0/8/8|::/129|2001:db8::1/32|::ffff:10.0.0.0/95|a/8|10/8";
  for (const text of refused.split("|")) {
    test(`'${text}' is no network`, () => assert.equal(parseCidr(text), undefined));
  }

  test("the network of an address with host bits is told", () => {
    assert.equal(cidrNetwork("10.1.2.3/8"), "10.0.0.0/8");
    assert.equal(cidrNetwork("10.255.255.255/9"), "10.128.0.0/9");
    assert.equal(cidrNetwork("2001:db8::1/32"), "2001:db8::/32");
    assert.equal(cidrNetwork("x/8"), undefined);
  });

  const set = (...texts: string[]): CidrSet =>
    createCidrSet(
      texts.map((text) => {
        const cidr = parseCidr(text);
        assert.ok(cidr, text);
        return cidr;
      }),
    );

  test("contains", () => {
    const some = set("10.0.0.0/8", "192.0.2.128/25", "203.0.113.7", "2001:db8:8000::/33", "::ffff:172.16.0.0/108");
    for (const ip of "10.255.0.1 192.0.2.128 192.0.2.255 203.0.113.7 2001:db8:ffff::1 ::ffff:10.0.0.1 172.31.255.255".split(
      " ",
    )) {
      assert.equal(holdsAddress(some, ip), true, ip);
    }
    for (const ip of "11.0.0.1 192.0.2.127 203.0.113.6 2001:db8:7fff::1 ::a00:1 172.32.0.0 nonsense".split(" ")) {
      assert.equal(holdsAddress(some, ip), false, ip);
    }
    assert.equal(holdsAddress(some, { family: 4, bytes: Uint8Array.of(10, 0, 0, 1) }), true);
    assert.equal(some.size, 5);
  });

  test("0.0.0.0/0 is all of IPv4 and nothing of IPv6", () => {
    assert.equal(holdsAddress(set("0.0.0.0/0"), "255.1.2.3"), true);
    assert.equal(holdsAddress(set("0.0.0.0/0"), "::1"), false);
    assert.equal(holdsAddress(set("::/0"), "1.2.3.4"), false);
    assert.equal(holdsAddress(set(), "1.2.3.4"), false);
  });

  test("agrees with arithmetic on the bits", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.nat(0xffffffff), fc.nat(32), (a, b, prefix) => {
        const toText = (n: number): string => formatIp(Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n));
        const block = 2 ** (32 - prefix);
        const network = cidrNetwork(`${toText(a)}/${prefix}`);
        assert.ok(network);
        const expected = Math.floor(a / block) === Math.floor(b / block);
        assert.equal(holdsAddress(set(network), toText(b)), expected);
      }),
    );
  });
});

describe("classifyIp", () => {
  const classes: Partial<Record<IpClass, string>> = {
    global:
      "1.1.1.1 93.184.216.34 172.15.0.1 172.32.0.1 100.63.0.1 100.128.0.1 2606:4700::1111 2a00::1 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1",
    loopback: "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1 64:ff9b::127.0.0.1 2002:7f00:1::",
    private:
      "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:c0a8:101::1 64:ff9b:1::1 fec0::1",
    link_local: "169.254.169.254 fe80::1 febf::1 ::ffff:169.254.169.254 2002:a9fe:a9fe::",
    unique_local: "fc00::1 fd12:3456::1",
    cgnat: "100.64.0.1 100.127.255.255",
    unspecified: "0.0.0.0 :: ::ffff:0.0.0.0",
    multicast: "224.0.0.1 239.255.255.255 ff02::1",
    broadcast: "255.255.255.255",
    documentation: "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1",
    benchmark: "198.18.0.1 198.19.255.255 2001:2::1",
    reserved: "0.1.2.3 192.0.0.9 192.88.99.1 240.0.0.1 2001::1 2001:10::1 100::1 ::1.2.3.4 4000::1 5f00::1 ::2",
    invalid: "nonsense 1.2.3",
  };
  for (const [expected, texts] of Object.entries(classes)) {
    for (const text of texts.split(" ")) test(`${text} is ${expected}`, () => assert.equal(classifyIp(text), expected));
  }

  test("mapped bytes count as what they map", () => {
    const bytes = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1);
    assert.equal(classifyIp({ family: 6, bytes }), "loopback");
  });
});
