import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ByteCache } from "../../src/byte_cache.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("byte cache", () => {
  test("knows a run wherever it stands, and no other", () => {
    const cache = new ByteCache<string>();
    cache.set(bytesOf("..shop.example"), 2, 14, "shop");
    assert.equal(cache.get(bytesOf("shop.example--"), 0, 12), "shop");
    assert.equal(cache.get(bytesOf("shop.exampl"), 0, 11), undefined);
    assert.equal(cache.get(bytesOf("shop.examplf"), 0, 12), undefined);
    assert.equal(cache.get(bytesOf("shop.example.org"), 0, 16), undefined);
  });

  test("keeps its own copy", () => {
    const cache = new ByteCache<number>();
    const bytes = bytesOf("h2");
    cache.set(bytes, 0, 2, 1);
    bytes.fill(0x78);
    assert.equal(cache.get(bytesOf("h2"), 0, 2), 1);
    assert.equal(cache.get(bytes, 0, 2), undefined);
  });

  test("a run that is too long is not kept; a range past the end is not found", () => {
    const cache = new ByteCache<number>();
    cache.set(new Uint8Array(257), 0, 257, 1);
    assert.equal(cache.get(new Uint8Array(257), 0, 257), undefined);
    cache.set(new Uint8Array(4), 0, 4, 2);
    assert.equal(cache.get(new Uint8Array(3), 0, 4), undefined);
  });

  test("whatever is set: an answer is never that of other bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3 }), { maxLength: 600 }), (runs) => {
        const cache = new ByteCache<string>();
        for (const run of runs) {
          const known = cache.get(run, 0, run.length);
          assert.ok(known === undefined || known === run.join());
          cache.set(run, 0, run.length, run.join());
          assert.equal(cache.get(run, 0, run.length), run.join());
        }
      }),
    );
  });
});
