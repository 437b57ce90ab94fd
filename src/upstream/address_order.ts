/**
 * The order in which a name's addresses are dialled: RFC 8305 §4.
 *
 * Owns: interleaving of the two families, and what experience changes in it. It must not resolve or dial; the attempts
 * themselves are the session's.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import type { AddressMemory } from "./address_memory.ts";

/**
 * Interleaves the families, keeping the resolver's order within each and its first family first (RFC 8305 §4: the first
 * address family count is 1).
 */
export function interleaveFamilies(addresses: readonly string[]): string[] {
  const isIpv6 = addresses[0]?.includes(":") === true;
  const first = addresses.filter((address) => address.includes(":") === isIpv6);
  const second = addresses.filter((address) => address.includes(":") !== isIpv6);
  const ordered: string[] = [];
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    if (index < first.length) ordered.push(first[index]!);
    if (index < second.length) ordered.push(second[index]!);
  }
  return ordered;
}

/** The same, with those last that failed lately, and a family that fails altogether behind the other. */
export function orderByExperience(
  endpoints: readonly Endpoint[],
  memory: AddressMemory | undefined,
  now: number,
): Endpoint[] {
  if (memory === undefined || endpoints.length < 2) return [...endpoints];
  const good = endpoints.filter((endpoint) => !memory.isLast(formatEndpoint(endpoint), now));
  const ordered = [...good, ...endpoints.filter((endpoint) => !good.includes(endpoint))];
  const [first] = ordered;
  const family = first?.kind === "tcp" && first.ip.includes(":") ? "ipv6" : "ipv4";
  const other = ordered.findIndex(
    (endpoint) => endpoint.kind === "tcp" && endpoint.ip.includes(":") !== (family === "ipv6"),
  );
  if (other > 0 && memory.isDoubtful(family, now)) ordered.unshift(...ordered.splice(other, 1));
  return ordered;
}
