/**
 * Which addresses did not answer lately: they are dialled last (RFC 8305 §4, history of connections).
 *
 * Owns: that memory, bounded, and the doubt about a whole family. An address is only put last, never left out. It is each
 * worker's own.
 */

/** Milliseconds for which a failure counts. */
const REMEMBERED = 60_000;
const MAX_ADDRESSES = 1000;
/** Different addresses of one family that failed, and none that answered meanwhile, until the other family goes first. */
const DOUBT = 3;

export class AddressMemory {
  /** By endpoint's text: until when it goes last. */
  readonly #failed = new Map<string, number>();
  readonly #doubts = { ipv4: new Map<string, number>(), ipv6: new Map<string, number>() };

  /** It refused, did not answer, or another one was faster by far. */
  failed(address: string, now: number): void {
    this.#note(this.#failed, address, now);
    this.#note(this.#doubts[familyOf(address)], address, now);
  }

  answered(address: string): void {
    // Nearly always there is nothing to forget.
    if (this.#failed.size > 0) this.#failed.delete(address);
    const doubts = this.#doubts[familyOf(address)];
    if (doubts.size > 0) doubts.clear();
  }

  /** Whether `address` goes behind those that did not fail. */
  isLast(address: string, now: number): boolean {
    return (this.#failed.get(address) ?? 0) > now;
  }

  /** Whether the other family goes first, although `family` is preferred. */
  isDoubtful(family: "ipv4" | "ipv6", now: number): boolean {
    const doubts = this.#doubts[family];
    if (doubts.size < DOUBT) return false;
    for (const [address, until] of doubts) if (until <= now) doubts.delete(address);
    return doubts.size >= DOUBT;
  }

  #note(table: Map<string, number>, address: string, now: number): void {
    table.delete(address);
    table.set(address, now + REMEMBERED);
    if (table.size <= MAX_ADDRESSES) return;
    for (const oldest of table.keys()) {
      table.delete(oldest);
      return;
    }
  }
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return address.startsWith("[") ? "ipv6" : "ipv4";
}
