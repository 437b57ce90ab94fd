import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readProxyHeader } from "../../../src/proxy_protocol/read_proxy_header.ts";
import { writeProxyHeader } from "../../../src/proxy_protocol/write_proxy_header.ts";
import { CHECKSUM, PP2_TYPE_AUTHORITY, PP2_TYPE_UNIQUE_ID, textTlv } from "../../../src/proxy_protocol/write_tlvs.ts";

const CLIENT = { kind: "tcp", ip: "192.0.2.1", port: 56324 } as const;
const SERVER = { kind: "tcp", ip: "198.51.100.2", port: 443 } as const;
const PATH = { kind: "unix", path: "/run/a.sock" } as const;

test("behind the addresses, in order, each with type and length", () => {
  const header = writeProxyHeader(2, CLIENT, SERVER, [textTlv(PP2_TYPE_AUTHORITY, "a.test"), textTlv(5, "\xff1")]);
  const rest = Buffer.from(header.subarray(16 + 12)).toString("latin1");
  assert.equal(rest, "\x02\0\x06a.test\x05\0\x02\xff1");
  assert.equal(Buffer.from(header).readUInt16BE(14), 12 + rest.length);
});

test("of every family, and where the addresses cannot be said", () => {
  for (const [source, destination] of [
    [CLIENT, SERVER],
    [PATH, PATH],
    [CLIENT, PATH],
  ] as const) {
    const header = writeProxyHeader(2, source, destination, [textTlv(PP2_TYPE_UNIQUE_ID, "id"), CHECKSUM]);
    assert.equal((readProxyHeader(header) as { bytes?: number }).bytes, header.length);
  }
});

test("the checksum is that of the whole header: our own reader checks it", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 255 }), fc.nat(27), (name, at) => {
      const header = writeProxyHeader(2, CLIENT, SERVER, [textTlv(PP2_TYPE_AUTHORITY, name.slice(0, 200)), CHECKSUM]);
      const read = readProxyHeader(header);
      assert.deepEqual((read as { source?: unknown }).source, CLIENT);
      const broken = header.slice();
      broken[16 + (at % 12)]! ^= 1;
      assert.equal((readProxyHeader(broken) as { code?: string }).code, "malformed_proxy_header");
    }),
  );
});

test("version 1 has no room for them", () => {
  assert.equal(
    Buffer.from(writeProxyHeader(1, CLIENT, SERVER, [CHECKSUM])).toString(),
    "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n",
  );
});
