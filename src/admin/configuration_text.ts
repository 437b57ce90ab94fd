/**
 * The configuration in force as text for people: JSON with every default, addresses and destinations as a file writes
 * them. Durations are milliseconds.
 *
 * Owns: what is left out: routes, which may be a million, and nothing that is secret was ever in it.
 */

import { type Cidr, formatEndpoint, formatIp } from "../address.ts";
import { balanceText, targetText } from "../cli/summary.ts";
import type { BalanceConfig, Config, Target } from "../config/config.ts";

export function configurationText(config: Config): string {
  return JSON.stringify(config, (key, value: unknown) => plain(key, value), 2);
}

/** By the option's name, since values say little of what they are. */
function plain(key: string, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  switch (key) {
    case "routes":
      return `${(value as Config["routes"]).size} routes`;
    case "endpoint":
      return formatEndpoint(value as Parameters<typeof formatEndpoint>[0]);
    case "target":
      return targetText(value as Target);
    case "balance":
      return balanceText(value as BalanceConfig);
    case "trustedProxies":
    case "networks":
      return networksOf(value as { readonly v4: Uint8Array; readonly v6: Uint8Array });
    default:
      return value instanceof Map ? Object.fromEntries(value) : value;
  }
}

/** The outermost ones of a set. */
function networksOf({ v4, v6 }: { readonly v4: Uint8Array; readonly v6: Uint8Array }): string[] {
  return [...packed(v4, 4), ...packed(v6, 16)].map(({ base, prefix }) => `${formatIp(base.bytes)}/${prefix}`);
}

function packed(bytes: Uint8Array, length: 4 | 16): Cidr[] {
  const networks: Cidr[] = [];
  for (let at = 0; at + length < bytes.length; at += length + 1) {
    const base = { family: length === 4 ? 4 : 6, bytes: bytes.subarray(at, at + length) } as const;
    networks.push({ base, prefix: bytes[at + length] as number });
  }
  return networks;
}
