/**
 * Addresses that local proxy tools make up for names ("fake-IP"): a connection to one only works through the tool.
 *
 * Owns: the networks that such tools use unless told otherwise, and the words about it.
 */

import { parseCidr } from "../address.ts";
import { createCidrSet, holdsAddress } from "../cidr_set.ts";

/** 198.18.0.0/15 nearly everywhere; 28.0.0.0/8, 240.0.0.0/8 and fc00::/18 in some tools. */
const FAKE = createCidrSet(
  ["198.18.0.0/15", "28.0.0.0/8", "240.0.0.0/8", "fc00::/18"].map((network) => parseCidr(network)!),
);

/** What to add to an error about `ip`; empty where it is no such address. */
export function fakeIpNote(ip: string): string {
  if (!holdsAddress(FAKE, ip)) return "";
  return "proxy tools make such addresses up (fake-IP): point resolver.servers at a real DNS server";
}
