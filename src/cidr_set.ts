/**
 * A set of networks that is asked about every client; plain data, which survives a message to another thread.
 *
 * Owns: the search. Two networks are nested or apart, never half over each other: without the nested ones, the only one
 * that can hold an address is the last that begins at or before it. It must not parse networks: `address.ts` does.
 */

import { type Cidr, type IpAddress, inNetwork, parseIp } from "./address.ts";

export interface CidrSet {
  /** Networks that were given. */
  readonly size: number;
  /** The outermost networks by their first address: its bytes and the prefix, for each. */
  readonly v4: Uint8Array;
  readonly v6: Uint8Array;
}

/** @param networks in any order, doubled or nested, 100,000 and more. */
export function createCidrSet(networks: readonly Cidr[]): CidrSet {
  return { size: networks.length, v4: packed(networks, 4), v6: packed(networks, 6) };
}

/** Text that is no address is in no set. */
export function holdsAddress({ v4, v6 }: CidrSet, ip: string | IpAddress): boolean {
  const address = typeof ip === "string" ? parseIp(ip) : ip;
  if (address === undefined) return false;
  const { bytes, family } = address;
  const networks = family === 4 ? v4 : v6;
  const stride = bytes.length + 1;
  let low = 0;
  for (let high = networks.length / stride; low < high; ) {
    const middle = (low + high) >>> 1;
    if (compare(networks, middle * stride, bytes) <= 0) low = middle + 1;
    else high = middle;
  }
  return low > 0 && isIn(bytes, networks, (low - 1) * stride);
}

/** By their first address, without those that lie in another. */
function packed(networks: readonly Cidr[], family: IpAddress["family"]): Uint8Array {
  const outermost: Cidr[] = [];
  const inOrder = networks
    .filter(({ base }) => base.family === family)
    .sort((a, b) => compare(a.base.bytes, 0, b.base.bytes) || a.prefix - b.prefix);
  for (const network of inOrder) {
    const last = outermost.at(-1);
    if (last === undefined || !inNetwork(network.base.bytes, last)) outermost.push(network);
  }
  const stride = family === 4 ? 5 : 17;
  const bytes = new Uint8Array(outermost.length * stride);
  for (const [index, { base, prefix }] of outermost.entries()) {
    bytes.set(base.bytes, index * stride);
    bytes[index * stride + stride - 1] = prefix;
  }
  return bytes;
}

/** The address at `at` and the one that `address` is. */
function compare(bytes: Uint8Array, at: number, address: Uint8Array): number {
  for (let i = 0; i < address.length; i++) {
    const difference = (bytes[at + i] as number) - (address[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether the network at `at` holds `address`. */
function isIn(address: Uint8Array, networks: Uint8Array, at: number): boolean {
  const prefix = networks[at + address.length] as number;
  const whole = prefix >>> 3;
  for (let i = 0; i < whole; i++) if (networks[at + i] !== address[i]) return false;
  const mask = 0xff00 >>> (prefix & 7);
  return (
    whole === address.length || (((networks[at + whole] as number) ^ (address[whole] as number)) & mask & 0xff) === 0
  );
}
