import assert from "node:assert/strict";
import { test } from "node:test";
import { isBlank, isFieldChar, isHexDigit, isTargetChar, isTokenChar } from "../../../src/http/characters.ts";

/** Every value that a byte, or no byte, can have. */
const ALL = Array.from({ length: 257 }, (_, index) => index - 1);

function members(belongs: (code: number) => boolean): string {
  return String.fromCharCode(...ALL.filter(belongs));
}

const DIGITS = "0123456789";
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = UPPER.toLowerCase();

test("tchar is RFC 9110 5.6.2's", () => {
  assert.equal(members(isTokenChar), `!#$%&'*+-.${DIGITS}${UPPER}^_\`${LOWER}|~`);
});

test("a field value holds HTAB, SP, VCHAR and obs-text", () => {
  const expected = ALL.filter((code) => code === 9 || (code >= 0x20 && code <= 0x7e) || code >= 0x80);
  assert.equal(members(isFieldChar), String.fromCharCode(...expected));
});

test("a target holds VCHAR without the fragment's mark", () => {
  assert.equal(members(isTargetChar), String.fromCharCode(...ALL.filter((c) => c > 0x20 && c < 0x7f && c !== 0x23)));
});

test("hexadecimal digits and blanks", () => {
  assert.equal(members(isHexDigit), `${DIGITS}ABCDEFabcdef`);
  assert.equal(members(isBlank), "\t ");
});
