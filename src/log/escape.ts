/**
 * Makes text from the wire safe for a log line and a terminal.
 *
 * Owns: the two escapings, JSON's and the text format's. Both leave printable ASCII only, so that no
 * control character, no bidirectional mark and no line break of a client's choosing reaches a reader.
 */

const HEX = "0123456789abcdef";

function unicodeEscape(unit: number): string {
  return `\\u${HEX[unit >> 12]}${HEX[(unit >> 8) & 15]}${HEX[(unit >> 4) & 15]}${HEX[unit & 15]}`;
}

/** `text` as a JSON string with its quotes, in ASCII (RFC 8259 §7). */
export function jsonString(text: string): string {
  if (/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, (character) => unicodeEscape(character.charCodeAt(0)));
}

/** JSON that is already made, its line breaks kept, in ASCII. */
export function asciiJson(json: string): string {
  return json.replace(/[^\n\x20-\x7e]/g, (character) => unicodeEscape(character.charCodeAt(0)));
}

/** `text` as one word of the text format: as it is where that is plain, otherwise in quotes with `\xNN`. */
export function logWord(text: string): string {
  if (text === "") return "-";
  return /^[!#-[\]-~]+$/.test(text) && text !== "-" ? text : `"${escapeText(text)}"`;
}

/** `text` with everything but printable ASCII, and `"` and `\` too, as `\xNN` or `\u{NNNN}` (nginx's `escape=default`). */
export function escapeText(text: string): string {
  return text.replace(/[^ !#-[\]-~]/gu, (character) => {
    const point = character.codePointAt(0)!;
    return point < 256 ? `\\x${HEX[point >> 4]}${HEX[point & 15]}` : `\\u{${point.toString(16)}}`;
  });
}
