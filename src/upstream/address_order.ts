/**
 * The order in which a name's addresses are dialled: RFC 8305 §4.
 *
 * Owns: interleaving of the two families. It must not resolve or dial; the attempts themselves are the session's.
 */

/**
 * Interleaves IPv6 and IPv4, keeping the resolver's order within each and IPv6 first where there is one
 * (RFC 8305 §4: the first address family count is 1).
 */
export function interleaveFamilies(addresses: readonly string[]): string[] {
  const v6 = addresses.filter((address) => address.includes(":"));
  const v4 = addresses.filter((address) => !address.includes(":"));
  const ordered: string[] = [];
  for (let index = 0; index < Math.max(v6.length, v4.length); index++) {
    if (index < v6.length) ordered.push(v6[index]!);
    if (index < v4.length) ordered.push(v4[index]!);
  }
  return ordered;
}
