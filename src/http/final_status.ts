/**
 * The first final status of a response stream (RFC 9112 4, RFC 9110 15.2): interim 1xx heads are skipped.
 *
 * Constant memory, and it reads no more of a head than its first twelve bytes and where it ends.
 */

import { byteAt } from "../bytes.ts";
import { CR, LF } from "./characters.ts";

const START = "HTTP/1.";
/** `HTTP/1.1 101` */
const STATUS_END = 12;

export class FinalStatus {
  /** 101 or any status from 200 on; 0 while unknown, -1 when what came is no HTTP/1 response. */
  status = 0;
  /** Bytes of `HTTP/1.x NNN` read; at `STATUS_END` the rest of an interim head is being skipped. */
  #index = 0;
  #digits = 0;
  /** Bytes of the current line of an interim head, CR and LF left out. */
  #lineBytes = 0;

  /** Takes what the server sends next. @returns the status so far. */
  read(bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length && this.status === 0; at++) {
      const byte = byteAt(bytes, at);
      if (this.#index === STATUS_END) this.#skip(byte);
      else this.#match(byte);
    }
    return this.status;
  }

  #match(byte: number): void {
    const index = this.#index++;
    const isDigit = byte >= 0x30 && byte <= 0x39;
    const fits = index < 7 ? byte === START.charCodeAt(index) : index === 8 ? byte === 0x20 : isDigit;
    if (!fits) {
      this.status = -1;
      return;
    }
    if (index > 8) this.#digits = this.#digits * 10 + byte - 0x30;
    if (this.#index < STATUS_END) return;
    if (this.#digits === 101 || this.#digits >= 200) this.status = this.#digits;
    else if (this.#digits < 100) this.status = -1;
    this.#lineBytes = 1;
  }

  /** To the end of an interim head; a bare LF ends a line too, as recipients may take it (RFC 9112 2.2). */
  #skip(byte: number): void {
    if (byte !== LF) {
      if (byte !== CR) this.#lineBytes++;
      return;
    }
    if (this.#lineBytes === 0) {
      this.#index = 0;
      this.#digits = 0;
    }
    this.#lineBytes = 0;
  }
}
