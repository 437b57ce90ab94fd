/**
 * What came of a reply that is not whole yet.
 *
 * Owns: the few bytes of one reply, copied. Its readers bound it: none asks for more than its reply's largest size.
 */

const EMPTY = new Uint8Array(0);

export class ReplyBuffer {
  /** All that came and was not taken; valid until the next `append`. */
  bytes: Uint8Array = EMPTY;

  append(bytes: Uint8Array): Uint8Array {
    const grown = new Uint8Array(this.bytes.length + bytes.length);
    grown.set(this.bytes);
    grown.set(bytes, this.bytes.length);
    this.bytes = grown;
    return grown;
  }

  /** Takes the first `length` bytes out. @returns what is behind them. */
  take(length: number): Uint8Array {
    this.bytes = this.bytes.subarray(length);
    return this.bytes;
  }
}
