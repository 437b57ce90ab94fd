/**
 * Which bytes may stand where in an HTTP/1 message (RFC 9110 5.6.2 and 5.5, RFC 9112 3.2).
 *
 * Owns: the character classes. Lookups by a byte value or -1 (no byte), which is in no class.
 */

const TOKEN = 1;
const FIELD = 2;
const TARGET = 4;
const HEX = 8;

const CLASSES: Uint8Array = new Uint8Array(256);

/** Adds `flag` to every character from `first` to `last`. */
function mark(flag: number, first: number, last: number): void {
  for (let code = first; code <= last; code++) CLASSES[code] = (CLASSES[code] as number) | flag;
}

for (const range of ["09", "az", "AZ"]) mark(TOKEN, range.charCodeAt(0), range.charCodeAt(1));
for (const char of "!#$%&'*+-.^_`|~") mark(TOKEN, char.charCodeAt(0), char.charCodeAt(0));
// HTAB, SP, VCHAR and obs-text.
mark(FIELD, 0x09, 0x09);
mark(FIELD, 0x20, 0x7e);
mark(FIELD, 0x80, 0xff);
// Any VCHAR but the fragment's mark, which has no place in a request-target. URIs allow fewer, clients send these.
mark(TARGET, 0x21, 0x22);
mark(TARGET, 0x24, 0x7e);
for (const range of ["09", "af", "AF"]) mark(HEX, range.charCodeAt(0), range.charCodeAt(1));

function has(code: number, flag: number): boolean {
  return code >= 0 && ((CLASSES[code] as number) & flag) !== 0;
}

/** tchar: methods, field names. */
export function isTokenChar(code: number): boolean {
  return has(code, TOKEN);
}

/** field-vchar, SP or HTAB. */
export function isFieldChar(code: number): boolean {
  return has(code, FIELD);
}

export function isTargetChar(code: number): boolean {
  return has(code, TARGET);
}

export function isHexDigit(code: number): boolean {
  return has(code, HEX);
}

/** OWS, between which and a value nothing is meant (RFC 9110 5.6.3). */
export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

export const CR = 0x0d;
export const LF = 0x0a;
