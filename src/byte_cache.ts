/**
 * Remembers what short runs of wire bytes were read as: most clients of a proxy send the same few names and lists.
 *
 * Owns: a table of fixed size, in which a newer run takes the place of an older one, so that a stranger who sends
 * a new one each time only makes it useless. A value must follow from its bytes alone, and is shared: nobody may change it.
 */

const SLOTS = 256;
/** Bytes; longer runs are not kept. Together with `SLOTS` the bound on memory. */
const LONGEST = 256;

interface Entry<Value> {
  readonly bytes: Uint8Array;
  readonly value: Value;
}

export class ByteCache<Value> {
  readonly #entries: (Entry<Value> | undefined)[] = new Array(SLOTS).fill(undefined);

  /** What `bytes[start..end)` was read as before. */
  get(bytes: Uint8Array, start: number, end: number): Value | undefined {
    const entry = this.#entries[slotOf(bytes, start, end)];
    return entry !== undefined && isSame(entry.bytes, bytes, start, end) ? entry.value : undefined;
  }

  set(bytes: Uint8Array, start: number, end: number, value: Value): void {
    if (end - start <= LONGEST) this.#entries[slotOf(bytes, start, end)] = { bytes: bytes.slice(start, end), value };
  }
}

/** FNV-1a over at most `LONGEST` bytes. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  const last = Math.min(end, start + LONGEST, bytes.length);
  let hash = 0x811c9dc5;
  for (let index = start; index < last; index++) hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let index = 0; index < known.length; index++) if (known[index] !== bytes[start + index]) return false;
  return true;
}
