/**
 * Words and texts written one behind the other, in memory that grows.
 */

import { textWords } from "./layout.ts";

const FIRST_SIZE = 1024;

export class WordArea {
  words = new Int32Array(FIRST_SIZE);
  length = 0;
  #bytes = new Uint8Array(this.words.buffer);
  #units = new Uint16Array(this.words.buffer);

  push(word: number): void {
    this.#reserve(1);
    this.words[this.length++] = word;
  }

  /** The characters alone: whoever reads them knows how many there are. */
  pushCharacters(text: string, isWide: boolean): void {
    const { length } = text;
    const words = textWords(length, isWide);
    this.#reserve(words);
    const target = isWide ? this.#units : this.#bytes;
    const from = isWide ? this.length * 2 : this.length * 4;
    for (let index = 0; index < length; index++) target[from + index] = text.charCodeAt(index);
    this.length += words;
  }

  /** A text that stands alone. */
  pushText(text: string): void {
    const wide = isWide(text);
    this.push((text.length << 1) | (wide ? 1 : 0));
    this.pushCharacters(text, wide);
  }

  /** Whether the text that stands alone at `place` is this one. */
  holdsText(place: number, text: string): boolean {
    const head = this.words[place] as number;
    const { length } = text;
    if (head >>> 1 !== length) return false;
    const isWide = (head & 1) !== 0;
    const source = isWide ? this.#units : this.#bytes;
    const from = isWide ? (place + 1) * 2 : (place + 1) * 4;
    for (let index = 0; index < length; index++) if (source[from + index] !== text.charCodeAt(index)) return false;
    return true;
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.words.length) return;
    const grown = new Int32Array(Math.max(needed, this.words.length * 2));
    grown.set(this.words.subarray(0, this.length));
    this.words = grown;
    this.#bytes = new Uint8Array(grown.buffer);
    this.#units = new Uint16Array(grown.buffer);
  }
}

/** Whether a text has characters beyond Latin-1. */
export function isWide(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0xff) return true;
  return false;
}
