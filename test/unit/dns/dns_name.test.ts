import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "../../../src/bytes.ts";
import { readName, STRANGE_NAME } from "../../../src/dns/dns_name.ts";
import { concat, fromText } from "../three_ways.ts";
import { labels } from "./message_builder.ts";

const read = (message: Uint8Array, start = 0) => readName(new Reader(message, start), message);

test("labels, the root, and a tail that is another's", () => {
  assert.equal(read(labels("_x._tcp.Example.test")), "_x._tcp.example.test");
  assert.equal(read(labels("")), "");
  const message = concat(labels("b.test"), Uint8Array.of(1, 0x61), labels("@2"));
  const reader = new Reader(message, 8);
  assert.equal(readName(reader, message), "a.test");
  assert.equal(reader.remaining, 0);
});

test("characters that no host has make a name that leads nowhere", () => {
  assert.equal(read(concat(Uint8Array.of(3), fromText("a.b"), labels("test"))), STRANGE_NAME);
  assert.equal(read(concat(Uint8Array.of(1, 0x0a), labels("test"))), STRANGE_NAME);
});

test("no name: cut off, too long, a circle, a pointer forwards, an unknown kind of label", () => {
  assert.equal(read(labels("a.test").slice(0, -1)), undefined);
  assert.equal(read(labels(Array(130).fill("a").join("."))), undefined);
  assert.equal(read(labels("@0")), undefined);
  assert.equal(read(concat(labels("@2"), labels("a"))), undefined);
  assert.equal(read(Uint8Array.of(0x40, 0)), undefined);
});

test("no name: a staircase of pointers", () => {
  const stairs = (pointers: number): Uint8Array => {
    const steps = Array.from({ length: pointers }, (_, step) => [0xc0 | ((2 * step) >> 8), (2 * step) & 0xff]);
    return Uint8Array.from([0, 0, ...steps.flat()]);
  };
  assert.equal(read(stairs(127), 2 * 127), "");
  assert.equal(read(stairs(128), 2 * 128), undefined);
});
