import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fits, type ServedName, sharedNames } from "../../../src/doctor/shared_names.ts";

const one = (name: string, server: string, more: Partial<ServedName> = {}): ServedName => ({
  name,
  server,
  group: "10.0.0.5",
  addresses: [server],
  multiplexes: true,
  certificateNames: [name],
  ...more,
});

const pairs = (...served: ServedName[]): string[] => sharedNames(served).map(({ subject }) => subject);

describe("names that clients mix up", () => {
  test("another server's name in a certificate, either way round, by a wildcard as well", () => {
    const wide = { certificateNames: ["x.test", "*.example.test"] };
    assert.deepEqual(pairs(one("a.example.test", "s1", wide), one("b.example.test", "s2")), [
      "a.example.test, b.example.test",
    ]);
    assert.deepEqual(pairs(one("a.example.test", "s1"), one("b.example.test", "s2", wide)), [
      "a.example.test, b.example.test",
    ]);
  });

  test("no harm: one server, one address, another address of the proxy, certificates of their own", () => {
    const wide = { certificateNames: ["*.example.test"] };
    assert.deepEqual(pairs(one("a.example.test", "s1", wide), one("b.example.test", "s1", wide)), []);
    const same = { ...wide, addresses: ["192.0.2.1", "192.0.2.2"] };
    const overlapping = { ...wide, addresses: ["192.0.2.2"] };
    assert.deepEqual(pairs(one("a.example.test", "s1", same), one("b.example.test", "s2", overlapping)), []);
    const elsewhere = { ...wide, group: "10.0.0.6" };
    assert.deepEqual(pairs(one("a.example.test", "s1", wide), one("b.example.test", "s2", elsewhere)), []);
    assert.deepEqual(pairs(one("a.example.test", "s1"), one("b.example.test", "s2")), []);
    const old = { ...wide, multiplexes: false };
    assert.deepEqual(pairs(one("a.example.test", "s1", old), one("b.example.test", "s2")), [], "HTTP/1.1");
  });

  test("many pairs are told for as long as they say something", () => {
    const many = Array.from({ length: 30 }, (_, index) =>
      one(`n${index}.example.test`, `s${index}`, { certificateNames: ["*.example.test"] }),
    );
    assert.equal(sharedNames(many).length, 20);
  });

  test("a wildcard is one whole label", () => {
    assert.ok(fits("*.a.test", "x.a.test") && fits("a.test", "a.test"));
    assert.ok(!fits("*.a.test", "x.y.a.test") && !fits("*.a.test", "a.test") && !fits("x*.a.test", "xy.a.test"));
  });
});
