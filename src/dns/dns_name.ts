/**
 * Domain names inside of a DNS message: RFC 1035 §3.1 and §4.1.4.
 *
 * Owns: following compression pointers, which may only lead backwards, so that no message keeps a reader busy.
 */

import { Reader } from "../bytes.ts";

const POINTER = 0xc0;
/** RFC 1035 §2.3.4, bytes on the wire. */
const MAX_WIRE = 255;
/** Pointers in one name: each label may have one, so more only keep a reader busy. */
const MAX_POINTERS = 127;
/** What a name may hold to be handed on: letters, digits, `-`, `_`. */
const LABEL = /^[a-z0-9_-]+$/;

/** A name that is none that a host or service has; such a record leads nowhere. */
export const STRANGE_NAME = "?";

/**
 * The name at the reader's place, in lower case without a trailing dot, and the reader behind it; the root is "".
 * @returns undefined where the bytes are no name; `STRANGE_NAME` for one with other characters than a host name's.
 */
export function readName(reader: Reader, message: Uint8Array): string | undefined {
  const labels: string[] = [];
  let at = reader;
  let wire = 1;
  let before = reader.position;
  let pointers = 0;
  for (;;) {
    const length = at.uint8();
    if (at.failed) return undefined;
    if (length === 0) return labels.every((label) => LABEL.test(label)) ? labels.join(".") : STRANGE_NAME;
    if (length >= POINTER) {
      const target = (length - POINTER) * 256 + at.uint8();
      // Only backwards: each jump goes before all that was read of this name so far.
      if (at.failed || target >= before || ++pointers > MAX_POINTERS) return undefined;
      before = target;
      at = new Reader(message, target);
      continue;
    }
    wire += length + 1;
    if (length > 63 || wire > MAX_WIRE) return undefined;
    labels.push(at.text(length).toLowerCase());
  }
}
