/** Text as UTF-8, and bytes as base64 (RFC 4648 §4), for Basic credentials: the core's language has neither. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

export function base64(bytes: readonly number[]): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const there = Math.min(4, bytes.length - at + 1);
    for (let index = 0; index < 4; index++) text += index < there ? ALPHABET[(group >> (18 - 6 * index)) & 63] : "=";
  }
  return text;
}

/** A lone surrogate becomes U+FFFD, as everywhere. */
export function utf8(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const whole = character.codePointAt(0) as number;
    const point = whole >= 0xd800 && whole < 0xe000 ? 0xfffd : whole;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    else bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  }
  return bytes;
}
