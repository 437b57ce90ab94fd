import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ALERTS, type AlertDescription, alertFor, encodeAlert } from "../../../src/tls/alert.ts";
import type { TlsErrorCode } from "../../../src/tls/record.ts";
import { fromHex } from "../three_ways.ts";

describe("encodeAlert", () => {
  test("is one fatal alert record", () => {
    assert.deepEqual(encodeAlert("unrecognized_name"), fromHex("15030100020270"));
    assert.deepEqual(encodeAlert("decode_error", 0x0303), fromHex("15030300020232"));
  });

  test("its version stays within TLS 1.0 to 1.2", () => {
    const versions = [0x0000, 0x0300, 0x0301, 0x0302, 0x0304, 0x0505, 0xffff].map(
      (v) => encodeAlert("internal_error", v)[2],
    );
    assert.deepEqual(versions, [1, 1, 1, 2, 3, 3, 3]);
  });

  test("descriptions have the numbers of RFC 8446 6", () => {
    const numbers = Object.keys(ALERTS).map((name) => encodeAlert(name as AlertDescription)[6]);
    assert.deepEqual(numbers, [10, 22, 40, 47, 49, 50, 70, 80, 109, 112]);
  });
});

test("every error of a TLS client has an alert, and no one else's", () => {
  const alerts: Record<TlsErrorCode, AlertDescription | undefined> = {
    not_tls: undefined,
    unexpected_message: "unexpected_message",
    record_overflow: "record_overflow",
    decode_error: "decode_error",
    illegal_parameter: "illegal_parameter",
    hello_too_large: "illegal_parameter",
  };
  for (const [code, alert] of Object.entries(alerts)) assert.equal(alertFor(code as TlsErrorCode), alert);
});
