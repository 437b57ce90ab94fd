/**
 * Recognises lines of YAML that mean the same in every block map: `  name: destination`, and nothing else on the line.
 *
 * Owns: which lines those are: a key and a value on one line, both plain or in quotes without escapes, of printable ASCII,
 * and a value that the core schema (YAML 1.2 §10.3.2) reads as text. Any doubt makes a line another one; so do keys whose
 * order counts (regular expressions, whole numbers) and `default`.
 */

const SPACE = 0x20;
const NEWLINE = 0x0a;
const COLON = 0x3a;
const DOT = 0x2e;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;
const TILDE = 0x7e;

/** By code: may stand in a plain key, in a plain value, and is a digit. */
const IN_KEY = 1;
const IN_VALUE = 2;
const IS_DIGIT = 4;
const CLASSES = new Uint8Array(128);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-")
  CLASSES[char.charCodeAt(0)] = IN_KEY | IN_VALUE;
for (const char of "0123456789") CLASSES[char.charCodeAt(0)] = IN_KEY | IN_VALUE | IS_DIGIT;
for (const char of ":/") CLASSES[char.charCodeAt(0)] = IN_VALUE;

/** YAML wants implicit keys short. */
const LONGEST_KEY = 512;
/** What the core schema takes for something else than text, whatever the case of its letters. */
const NO_TEXT = /^(?:true|false|null)$/i;

/** Reads one line after another; the fields tell of the last one that was simple. */
export class LineScanner {
  readonly #text: string;
  indent = 0;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  /** Where the next line begins. */
  next = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get key(): string {
    return this.#text.slice(this.keyStart, this.keyEnd);
  }

  get value(): string {
    return this.#text.slice(this.valueStart, this.valueEnd);
  }

  /** Where the key begins, its quote included. */
  get keyAt(): number {
    return this.#text.charCodeAt(this.keyStart - 1) === SPACE ? this.keyStart : this.keyStart - 1;
  }

  /** Whether the line that begins at `start` is simple. */
  scan(start: number): boolean {
    const text = this.#text;
    let at = start;
    while (text.charCodeAt(at) === SPACE) at++;
    this.indent = at - start;
    const end = this.indent === 0 ? -1 : this.#scanPair(at);
    if (end >= 0 && (end === text.length || text.charCodeAt(end) === NEWLINE)) {
      this.next = end + 1;
      return true;
    }
    const newline = text.indexOf("\n", at);
    this.next = newline < 0 ? text.length : newline + 1;
    return false;
  }

  /** @returns where it ends; -1: it is not simple. */
  #scanPair(start: number): number {
    const text = this.#text;
    let at = this.#scanKey(start);
    if (at < 0 || text.charCodeAt(at) !== COLON || text.charCodeAt(at + 1) !== SPACE) return -1;
    at += 2;
    while (text.charCodeAt(at) === SPACE) at++;
    const code = text.charCodeAt(at);
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) {
      this.valueStart = at + 1;
      this.valueEnd = this.#endOfQuoted(at + 1, code);
      return this.valueEnd < 0 ? -1 : this.valueEnd + 1;
    }
    this.valueStart = at;
    this.valueEnd = this.#endOfValue(at);
    return this.valueEnd;
  }

  #scanKey(start: number): number {
    const text = this.#text;
    const code = text.charCodeAt(start);
    const isQuoted = code === DOUBLE_QUOTE || code === SINGLE_QUOTE;
    this.keyStart = isQuoted ? start + 1 : start;
    this.keyEnd = isQuoted ? this.#endOfQuoted(start + 1, code) : this.#endOfKey(start);
    const length = this.keyEnd - this.keyStart;
    if (length <= 0 || length > LONGEST_KEY || text.charCodeAt(this.keyStart) === TILDE) return -1;
    if (length === 7 && text.startsWith("default", this.keyStart)) return -1;
    if (!this.#hasOther(this.keyStart, this.keyEnd)) return -1;
    return isQuoted ? this.keyEnd + 1 : this.keyEnd;
  }

  #endOfKey(start: number): number {
    const text = this.#text;
    // A list's item, or a mark between documents.
    if (text.charCodeAt(start) === 0x2d) return -1;
    let at = start;
    while (((CLASSES[text.charCodeAt(at)] as number) & IN_KEY) !== 0) at++;
    return at;
  }

  /** Where the closing quote is; -1: there is an escape, or something that is not printable. */
  #endOfQuoted(start: number, quote: number): number {
    const text = this.#text;
    for (let at = start; ; at++) {
      const code = text.charCodeAt(at);
      // Two single quotes are one: an escape.
      if (code === quote) return quote === SINGLE_QUOTE && text.charCodeAt(at + 1) === quote ? -1 : at;
      if (!(code >= SPACE && code < 0x7f) || code === BACKSLASH) return -1;
    }
  }

  /** Of a plain value that is text for sure; else -1. */
  #endOfValue(start: number): number {
    const text = this.#text;
    const first = CLASSES[text.charCodeAt(start)] as number;
    if ((first & IN_KEY) === 0 || text.charCodeAt(start) === DOT || text.charCodeAt(start) === 0x2d) return -1;
    let [at, colons, dots] = [start, 0, 0];
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if (((CLASSES[code] as number) & IN_VALUE) === 0) break;
      if (code === COLON) colons++;
      else if (code === DOT) dots++;
    }
    if (text.charCodeAt(at - 1) === COLON) return -1;
    // No number has a colon or two dots; what begins with a digit otherwise may be one.
    if (colons > 0 || dots > 1) return at;
    return (first & IS_DIGIT) !== 0 || NO_TEXT.test(text.slice(start, at)) ? -1 : at;
  }

  /** Whether a character is no digit: JavaScript's objects put keys that are whole numbers first. */
  #hasOther(start: number, end: number): boolean {
    const text = this.#text;
    for (let at = start; at < end; at++) if (((CLASSES[text.charCodeAt(at)] as number) & IS_DIGIT) === 0) return true;
    return false;
  }
}
