import assert from "node:assert/strict";
import { test } from "node:test";
import { NEED_MORE } from "../../../src/errors.ts";
import { PostgresTls } from "../../../src/opening/postgres_tls.ts";
import { fromText } from "../three_ways.ts";

const NOTHING = new Uint8Array(0);

test("asks for TLS, and takes S alone", () => {
  const opening = new PostgresTls(NOTHING);
  assert.equal(Buffer.from(opening.begin()).toString("hex"), "0000000804d2162f");
  assert.deepEqual(opening.received(fromText("S")), { kind: "done", surplus: NOTHING });
});

for (const [reply, detail] of [
  ["N", /does not do TLS/],
  ["E\0\0\0\x08SFATAL", /answered with an error/],
  ["S\x16", /in the clear behind its promise/],
  ["HTTP/1.1 400", /does not speak PostgreSQL/],
] as const) {
  test(`${JSON.stringify(reply)} is refused`, () => {
    const answer = new PostgresTls(NOTHING).received(fromText(reply));
    assert.ok(answer !== NEED_MORE && answer.kind === "failed");
    assert.equal(answer.reason, "tls_refused");
    assert.match(answer.detail, detail);
  });
}
