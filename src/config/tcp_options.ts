/**
 * The options of TCP connections, `tcp:`.
 *
 * Owns: their names, bounds and descriptions. Whether an adapter can carry them out is seen at startup.
 */

import * as z from "zod";
import { canonicalIp } from "../address.ts";
import type { Refusal } from "./destination.ts";
import { bool, duration, list, map, text } from "./option_kinds.ts";

function readLocalAddress(value: string): string | Refusal {
  return canonicalIp(value) ?? { error: "it must be an IP address of this machine" };
}

const localAddress = () => text("an IP address", readLocalAddress, { title: "IP address" });

const localAddresses = () =>
  list(localAddress(), "IP addresses").refine(
    (addresses) => new Set(addresses.map((address) => address.includes(":"))).size === addresses.length,
    { error: "it must name one IPv4 and one IPv6 address at most" },
  );

/** `bind` of an upstream or a route: one address, or one of each family. */
export function buildBind() {
  return z.union([localAddress().transform((address) => [address]), localAddresses()], {
    error: "it must be an IP address of this machine, or a list of them",
  });
}

export function buildTcp() {
  return map({
    bind: localAddresses().prefault([]).meta({
      description: "Local addresses that servers are connected from: one IPv4, one IPv6. Not with deno, bun.",
    }),
    fastOpen: bool().default(false).meta({ description: "TCP Fast Open to servers (RFC 7413). `linux` only." }),
    userTimeout: duration(0).prefault("0s").meta({
      description: "Until a peer that acknowledges nothing is given up; `0s`: the system's. `linux` only.",
    }),
  });
}
