import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NameCache } from "../../../src/upstream/name_cache.ts";

class CountingResolver {
  asked = 0;
  answer: () => Promise<string[]> = async () => ["192.0.2.1"];

  resolve(): Promise<string[]> {
    this.asked++;
    return this.answer();
  }

  close(): void {}
}

describe("name cache", () => {
  test("asks once while a lookup is under way, and for a moment after", async () => {
    const resolver = new CountingResolver();
    let now = 0;
    const cache = new NameCache(resolver, () => now);
    await Promise.all([cache.resolve("a.test"), cache.resolve("a.test")]);
    assert.equal(resolver.asked, 1);
    now = 4_999;
    await cache.resolve("a.test");
    assert.equal(resolver.asked, 1);
    now = 5_001;
    await cache.resolve("a.test");
    assert.equal(resolver.asked, 2);
  });

  test("a failure is forgotten sooner", async () => {
    const resolver = new CountingResolver();
    resolver.answer = () => Promise.reject({ code: "ENOTFOUND", message: "" });
    let now = 0;
    const cache = new NameCache(resolver, () => now);
    await assert.rejects(cache.resolve("a.test"));
    await assert.rejects(cache.resolve("a.test"));
    assert.equal(resolver.asked, 1);
    now = 1_001;
    resolver.answer = async () => ["192.0.2.2"];
    assert.deepEqual(await cache.resolve("a.test"), ["192.0.2.2"]);
  });

  test("ten thousand names at most", async () => {
    const resolver = new CountingResolver();
    const cache = new NameCache(resolver, () => 0);
    for (let index = 0; index <= 10_000; index++) await cache.resolve(`n${index}.test`);
    assert.equal(resolver.asked, 10_001);
    await cache.resolve("n10000.test");
    assert.equal(resolver.asked, 10_001);
    await cache.resolve("n0.test");
    assert.equal(resolver.asked, 10_002);
  });
});
