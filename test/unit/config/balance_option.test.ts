import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseBalance } from "../../../src/config/balance_option.ts";

const refusal = (value: string): string => {
  const parsed = parseBalance(value);
  return "error" in parsed ? parsed.error : JSON.stringify(parsed);
};

describe("balance", () => {
  test("nginx's methods", () => {
    assert.deepEqual(parseBalance("round_robin"), { kind: "round_robin" });
    assert.deepEqual(parseBalance(" least_conn "), { kind: "least_conn" });
    assert.deepEqual(parseBalance("random"), { kind: "random" });
    for (const two of ["random two", "random two least_conn"])
      assert.deepEqual(parseBalance(two), { kind: "random_two" });
    assert.deepEqual(parseBalance("hash $remote_addr"), { kind: "hash", key: "$remote_addr", consistent: false });
    assert.deepEqual(parseBalance("hash  a$remote_addr:${server_port}  consistent"), {
      kind: "hash",
      key: "a$remote_addr:${server_port}",
      consistent: true,
    });
  });

  test("what is wrong, in words", () => {
    const faults: [string, string][] = [
      ["", "there is no such method; there are round_robin, least_conn, random, random two least_conn, hash"],
      ["leastconn", "there is no such method; did you mean 'least_conn'?"],
      ["least_conn 5", "least_conn takes no parameter"],
      ["random three", "write random, random two or random two least_conn"],
      ["random two hash", "write random, random two or random two least_conn"],
      ["hash", "hash needs a key, such as $remote_addr"],
      ["hash $remote_adr", "there is no variable $remote_adr; did you mean 'remote_addr'?"],
      ["hash $bytes_sent", "$bytes_sent is not known before a server is chosen"],
      ["hash x", "the key 'x' has no $variable, so that all connections would take one server"],
      [
        "hash $remote_addr consistant",
        "behind the key, which has no spaces, only consistent may stand; did you mean 'consistent'?",
      ],
      ["hash $remote_addr consistent x", "behind the key, which has no spaces, only consistent may stand"],
    ];
    for (const [value, expected] of faults) assert.equal(refusal(value), expected, value);
  });

  test("any text is a method or a refusal", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        assert.equal(typeof parseBalance(value), "object");
      }),
    );
  });
});
