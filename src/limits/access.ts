/**
 * Whether a client may connect, by the access rules of a listener or a route.
 *
 * Owns: the order of the rules: the first that holds the client counts, as in ngx_stream_access_module. A client without
 * an address (a `unix:` socket, no PROXY header) is held only by rules that say `unix:` or `all`.
 */

import { type Endpoint, parseIp } from "../address.ts";
import { holdsAddress } from "../cidr_set.ts";
import type { AccessConfig } from "../config/config.ts";

export function permits({ rules, otherwise }: AccessConfig, client: Endpoint): boolean {
  const ip = client.kind === "tcp" ? parseIp(client.ip) : undefined;
  for (const { allow, networks, unix } of rules) {
    if (ip === undefined ? unix : holdsAddress(networks, ip)) return allow;
  }
  return otherwise;
}
