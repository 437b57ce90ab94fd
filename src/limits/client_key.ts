/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 one, which is what a single host gets to choose from
 * (RFC 6177, RFC 7934).
 *
 * Owns: the key of 64 bits, and its hash. The hash is HalfSipHash-2-4 (Aumasson and Bernstein) with a secret seed, so that
 * nobody can choose addresses that fall on one place.
 */

import { type Endpoint, parseIp } from "../address.ts";

/** Two words of 32 bits. */
export interface ClientKey {
  readonly high: number;
  readonly low: number;
}

/** No client's /64 begins so: it would be multicast (RFC 4291 section 2.7). */
const IPV4 = -1;

/** `undefined` for a client without an address. */
export function clientKey(client: Endpoint): ClientKey | undefined {
  const ip = client.kind === "tcp" ? parseIp(client.ip) : undefined;
  if (ip === undefined) return undefined;
  return ip.family === 4 ? { high: IPV4, low: word(ip.bytes, 0) } : { high: word(ip.bytes, 0), low: word(ip.bytes, 4) };
}

function word(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) value = (value << 8) | (bytes[i] as number);
  return value;
}

/** The secret of a hash: two words that nobody else knows. */
export type Seed = readonly [number, number];

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** HalfSipHash-2-4 of the key's eight bytes, 32 bits of it, unsigned. */
export function hashKey({ high, low }: ClientKey, [k0, k1]: Seed): number {
  let v0 = k0;
  let v1 = k1;
  let v2 = k0 ^ 0x6c796765;
  let v3 = k1 ^ 0x74656462;
  const round = (): void => {
    v0 = (v0 + v1) | 0;
    v1 = rotate(v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotate(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    v2 = rotate(v2, 16);
  };
  const absorb = (message: number): void => {
    v3 ^= message;
    round();
    round();
    v0 ^= message;
  };
  absorb(low);
  absorb(high);
  // The last block has the length, eight bytes, in its highest byte.
  absorb(0x08000000);
  v2 ^= 0xff;
  for (let i = 0; i < 4; i++) round();
  return (v1 ^ v3) >>> 0;
}
