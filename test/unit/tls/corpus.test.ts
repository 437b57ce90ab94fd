/**
 * Every case of the first-bytes corpus must get its first answer. The one exception is SSLv2's hello, which
 * can carry no name and is refused as no TLS (RFC 8446 D.5); the corpus allows that.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { NEED_MORE, ParseError } from "../../../src/errors.ts";
import { readProxyHeader } from "../../../src/proxy_protocol/read_proxy_header.ts";
import { type ClientHello, ClientHelloReader } from "../../../src/tls/client_hello.ts";
import { concat, fromHex, fromText, inChunks, threeWays } from "../three_ways.ts";
import { record } from "./hello_builder.ts";

interface Expectation {
  readonly outcome: string;
  readonly sni?: string;
  readonly alpn?: readonly string[];
  readonly versions?: readonly string[];
  readonly legacy_version?: string;
  readonly hello_bytes?: number;
  readonly any?: readonly Expectation[];
  readonly header_bytes?: number;
  readonly src?: string;
  readonly dst?: string;
}

interface Case {
  readonly name: string;
  readonly chunks: readonly string[];
  readonly expect: Expectation;
  readonly with_proxy_protocol?: Expectation;
}

type Answer = ReturnType<ClientHelloReader["read"]>;

const create = () => new ClientHelloReader();

function load(url: URL): readonly Case[] {
  return (JSON.parse(readFileSync(url, "utf8")) as { cases: Case[] }).cases;
}

function outcomeOf(answer: Answer): string {
  if (answer === NEED_MORE) return "incomplete";
  if (answer instanceof ParseError) return answer.code === "not_tls" ? "not_tls" : "malformed";
  return answer.serverName === undefined ? "no_sni" : "sni";
}

function hex16(value: number): string {
  return `0x${value.toString(16).padStart(4, "0")}`;
}

function checkHello(hello: ClientHello, expect: Expectation): void {
  assert.equal(hello.serverName, expect.sni);
  if (expect.hello_bytes !== undefined) assert.equal(hello.bytes, expect.hello_bytes);
  if (expect.alpn !== undefined) assert.deepEqual(hello.alpn, expect.alpn);
  if (expect.versions !== undefined) assert.deepEqual(hello.versions.map(hex16), expect.versions);
  if (expect.legacy_version !== undefined) assert.equal(hex16(hello.legacyVersion), expect.legacy_version);
}

function check(answer: Answer, expect: Expectation, bytes: Uint8Array): void {
  const isSslV2 = bytes[0] === 0x80 && expect.any?.some((other) => other.outcome === "not_tls");
  assert.equal(outcomeOf(answer), isSslV2 ? "not_tls" : expect.outcome);
  if (answer !== NEED_MORE && !(answer instanceof ParseError)) checkHello(answer, expect);
}

function checkCase({ chunks, expect }: Case): void {
  const bytes = fromHex(chunks.join(""));
  const sizes = chunks.length === 0 ? [1] : chunks.map((chunk) => chunk.length / 2);
  check(inChunks(create, bytes, sizes) as Answer, expect, bytes);
  // 64 KiB byte by byte, each time a copy, is 2 GiB of copying: such a case is cut behind its hello.
  const some = bytes.length <= 20000 ? bytes : bytes.subarray(0, 2000);
  const tail = record(fromText("more"), 23);
  if (some === bytes) check(threeWays(create, bytes, tail) as Answer, expect, bytes);
  else assert.deepEqual(inChunks(create, some, [1]), create().read(some));
}

const own = load(new URL("../../fixtures/client_hellos.json", import.meta.url));

describe("corpus", () => {
  for (const one of own) test(one.name, () => checkCase(one));
});

const thirdParty = new URL("../../../../shared/corpus/third_party_client_hellos.json", import.meta.url);

describe("corpus of third parties", () => {
  if (!existsSync(thirdParty))
    test("is not here", { skip: "third_party_client_hellos.json is not distributed" }, () => {});
  else for (const one of load(thirdParty)) test(one.name, () => checkCase(one));
});

describe("corpus behind a PROXY header", () => {
  const address = (endpoint: unknown) => {
    const { ip, port } = endpoint as { ip: string; port: number };
    return `${ip}:${port}`;
  };

  for (const { name, chunks, with_proxy_protocol: expect } of own) {
    if (expect === undefined) continue;
    test(name, () => {
      const bytes = fromHex(chunks.join(""));
      const header = threeWays(() => ({ read: readProxyHeader }), bytes, fromText("tail"));
      if (header === NEED_MORE) return assert.equal(expect.outcome, "incomplete");
      if (header instanceof ParseError) return assert.equal(expect.outcome, "malformed");
      assert.equal(header.bytes, expect.header_bytes);
      if (expect.src !== undefined) assert.equal(address(header.source), expect.src);
      if (expect.dst !== undefined) assert.equal(address(header.destination), expect.dst);
      const rest = bytes.subarray(header.bytes);
      return check(create().read(rest), expect, rest);
    });
  }
});

describe("corpus, mutated", () => {
  const wires = own
    .map(({ chunks }) => fromHex(chunks.join("")))
    .filter((wire) => wire.length > 0 && wire.length < 3000);
  const change = fc.tuple(fc.nat(3000), fc.integer({ min: 0, max: 255 }));

  test("no change of a few bytes makes the reader throw or depend on chunks", () => {
    fc.assert(
      fc.property(fc.constantFrom(...wires), fc.array(change, { maxLength: 4 }), fc.nat(300), (good, changes, cut) => {
        const wire = concat(good);
        for (const [at, value] of changes) wire[at % wire.length] = value;
        assert.deepEqual(inChunks(create, wire, [cut + 1, 1]), create().read(wire));
      }),
      { numRuns: 1000 },
    );
  });
});
