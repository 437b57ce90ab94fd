import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { NEED_MORE } from "../../../src/errors.ts";
import { readStartupRequest, sslRequest } from "../../../src/postgres/startup_request.ts";
import { codeOf, fromHex, inChunks, threeWays } from "../three_ways.ts";

const parser = () => ({ read: readStartupRequest });
const read = (hex: string) => threeWays(parser, fromHex(hex), fromHex("160301"));

describe("the first message of a PostgreSQL client", () => {
  test("each by its code", () => {
    assert.equal(read("0000000804d2162f"), "ssl");
    assert.equal(read("0000000804d21630"), "gssenc");
    assert.equal(read("0000001004d2162e"), "cancel");
    assert.equal(read("0000005400030000"), "startup");
    assert.equal(read("0000005400030002"), "startup");
    assert.equal(read("0000012800020000"), "startup");
    assert.equal(Buffer.from(sslRequest()).toString("hex"), "0000000804d2162f");
  });

  test("what is none", () => {
    for (const hex of [
      "16",
      "0001",
      "0000000904d2162f",
      "0000000704d21630",
      "0000000804d2162e",
      "0000027104d2162e",
      "0000000800030000",
      "0000ffff00030000",
      "0000005400010000",
      "0000005404d21631",
    ]) {
      assert.equal(codeOf(read(hex)), "not_postgres", hex);
    }
  });

  test("fewer than eight bytes of one may become any", () => assert.equal(read("00000008"), NEED_MORE));

  test("any bytes in any chunks: one answer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), fc.array(fc.nat(4), { minLength: 1 }), (bytes, sizes) => {
        bytes.fill(0, 0, 2);
        assert.deepEqual(inChunks(parser, bytes, sizes), readStartupRequest(bytes));
      }),
    );
  });
});
