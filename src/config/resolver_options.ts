/**
 * The options of name resolution, `resolver:` and `selfAddresses:`.
 *
 * Owns: their names, bounds and descriptions. It must not resolve.
 */

import { canonicalIp, formatEndpoint } from "../address.ts";
import type { AddressFamily } from "../host.ts";
import type { SelfAddress } from "./config.ts";
import { BRACKETS, parseTarget, type Refusal } from "./destination.ts";
import { duration, list, map, text } from "./option_kinds.ts";
import { suggestion } from "./quote.ts";

/** `IP:port`, with 53 for a port that is left out. */
function readNameserver(value: string): string | Refusal {
  const target = parseTarget(value, (name) => name);
  if (!("error" in target) && target.kind === "ip") {
    return formatEndpoint({ kind: "tcp", ip: target.ip, port: target.port ?? 53 });
  }
  return { error: `it must be an IP address, with or without a port; ${BRACKETS}` };
}

function readFamily(value: string): AddressFamily | Refusal {
  if (value === "ipv4" || value === "ipv6") return value;
  return { error: `it must be ipv4 or ipv6${suggestion(value, ["ipv4", "ipv6"])}` };
}

function readFamilies(value: string): readonly AddressFamily[] | undefined | Refusal {
  if (value === "auto") return undefined;
  return { error: "it must be auto, or a list such as [ipv4, ipv6], the preferred one first" };
}

/** `IP`: whatever the port; `IP:port`: that one alone. */
function readSelfAddress(value: string): SelfAddress | Refusal {
  const ip = canonicalIp(value);
  if (ip !== undefined) return { ip, port: undefined };
  const target = parseTarget(value, (name) => name);
  if (!("error" in target) && target.kind === "ip") return { ip: target.ip, port: target.port };
  return { error: "it must be an IP address, with or without a port" };
}

export function buildResolver() {
  const family = text("ipv4 or ipv6", readFamily, { title: "family" });
  const options = map({
    servers: list(text("an IP address such as 192.0.2.53", readNameserver, { title: "endpoint" }), "IP addresses")
      .max(3, { error: "it must name 3 servers at most" })
      .prefault([])
      .meta({ description: "DNS servers (`IP` or `IP:port`) instead of the system's resolver and its hosts file." }),
    timeout: duration(1).prefault("5s").meta({ description: "For one name." }),
    families: text("auto", readFamilies, { title: "auto" })
      .or(
        list(family, "families, ipv4 and ipv6")
          .min(1, { error: "it must name one family at least" })
          .refine((families) => new Set(families).size === families.length, { error: "it names a family twice" }),
      )
      .prefault("auto")
      .meta({
        title: "`auto` or list of family",
        description:
          "Families of addresses that are asked for and used, the preferred one first: `[ipv4]`, `[ipv4, ipv6]`, …; `auto`: both, in the system's order, or IPv6 first with `servers`.",
      }),
    minTtl: duration(0).prefault("1s").meta({ description: "An answer is kept so long, however short its TTL is." }),
    maxTtl: duration(1000)
      .prefault("1h")
      .meta({ description: "An answer is not kept longer, however long its TTL is." }),
    staleFor: duration(0).prefault("1d").meta({
      description:
        "How long beyond its TTL an answer is used while the resolver fails or is slow (RFC 8767); `0s`: not at all.",
    }),
  });
  return options.refine(({ minTtl, maxTtl }) => minTtl <= maxTtl, {
    path: ["minTtl"],
    error: "it must not be longer than maxTtl",
  });
}

export function buildSelfAddresses() {
  return list(text("an IP address", readSelfAddress, { title: "address" }), "IP addresses")
    .prefault([])
    .meta({
      description:
        "Addresses (`IP`, or `IP:port`) by which this proxy is reached besides its own: in front of a NAT or a load balancer. `direct` never dials them.",
    });
}
