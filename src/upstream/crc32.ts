/**
 * CRC-32 (ISO 3309, ITU-T V.42 §8.1.1.6.2) of text, as nginx's `hash` uses it.
 *
 * Owns: the checksum. It must not be used where somebody could gain by a collision.
 */

const TABLE = new Uint32Array(256).map((_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

/** A checksum under way: nothing so far. */
export const CRC32_START = 0xffffffff;

export function crc32Byte(state: number, byte: number): number {
  return TABLE[(state ^ byte) & 0xff]! ^ (state >>> 8);
}

/** Adds a text in UTF-8. */
export function crc32Text(state: number, text: string): number {
  let crc = state;
  for (let index = 0; index < text.length; index++) {
    const code = text.codePointAt(index)!;
    if (code > 0xffff) index++;
    if (code < 0x80) crc = crc32Byte(crc, code);
    else crc = crc32Wide(crc, code);
  }
  return crc;
}

/** A code point of two to four bytes (RFC 3629 §3). */
function crc32Wide(state: number, code: number): number {
  const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  let crc = crc32Byte(state, ((0xff00 >> (more + 1)) & 0xff) | (code >> (6 * more)));
  for (let left = more - 1; left >= 0; left--) crc = crc32Byte(crc, 0x80 | ((code >> (6 * left)) & 0x3f));
  return crc;
}

export function crc32End(state: number): number {
  return ~state >>> 0;
}
