/**
 * A set of networks that is asked about every client.
 *
 * Owns: the search. Two networks are nested or apart, never half over each other: without the nested ones, the only one
 * that can hold an address is the last that begins at or before it. It must not parse networks: `address.ts` does.
 */

import { type Cidr, type IpAddress, inNetwork, parseIp } from "./address.ts";

export class CidrSet {
  readonly #v4: readonly Cidr[];
  readonly #v6: readonly Cidr[];
  readonly size: number;

  /** @param networks in any order, doubled or nested, 100,000 and more. */
  constructor(networks: readonly Cidr[]) {
    this.size = networks.length;
    this.#v4 = sorted(networks.filter(({ base }) => base.family === 4));
    this.#v6 = sorted(networks.filter(({ base }) => base.family === 6));
  }

  /** Text that is no address is in no set. */
  contains(ip: string | IpAddress): boolean {
    const address = typeof ip === "string" ? parseIp(ip) : ip;
    if (address === undefined) return false;
    const { bytes, family } = address;
    const networks = family === 4 ? this.#v4 : this.#v6;
    let low = 0;
    for (let high = networks.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (compare((networks[middle] as Cidr).base.bytes, bytes) <= 0) low = middle + 1;
      else high = middle;
    }
    return low > 0 && inNetwork(bytes, networks[low - 1] as Cidr);
  }
}

/** By their first address, without those that lie in another. */
function sorted(networks: readonly Cidr[]): Cidr[] {
  const outermost: Cidr[] = [];
  const inOrder = networks.toSorted((a, b) => compare(a.base.bytes, b.base.bytes) || a.prefix - b.prefix);
  for (const network of inOrder) {
    const last = outermost.at(-1);
    if (last === undefined || !inNetwork(network.base.bytes, last)) outermost.push(network);
  }
  return outermost;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
