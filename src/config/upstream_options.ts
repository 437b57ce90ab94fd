/**
 * The options of an upstream and its servers.
 *
 * Owns: their names, types, defaults, bounds and descriptions. It must not look at two options at once (`check.ts` does).
 */

import * as z from "zod";
import type { ToAscii } from "../hostname.ts";
import type { Target } from "./config.ts";
import { parseTarget, type Refusal } from "./destination.ts";
import { bool, choice, integer, list, map, text } from "./option_kinds.ts";
import { buildProxyHeader } from "./proxy_header_options.ts";
import { buildBind } from "./tcp_options.ts";
import { buildVia } from "./via_options.ts";

export function buildUpstream(toAscii: ToAscii) {
  const expected = "host:port, IP:port or unix:/path";
  const address = text(expected, (value): Target | Refusal => parseTarget(value, toAscii), { title: "server" });
  const server = map({
    address: address.meta({ description: "As above." }),
    weight: integer(1, 1000, "a whole number from 1 to 1000").default(1).meta({
      description: "Share of the connections, against the other servers' weights.",
    }),
    backup: bool().default(false).meta({ description: "Only used when no other server can be." }),
  });
  const fromText = address.transform((target) => ({ address: target, weight: 1, backup: false }));
  return map({
    balance: choice(["round_robin"]).default("round_robin").meta({ description: "How a server is chosen." }),
    servers: list(z.union([fromText, server], { error: `it must be ${expected}, or a map with address` }), "servers")
      .min(1, { error: "it must name at least one server" })
      .meta({ description: "The servers: `host:port`, `IP` (the listener's port), `IP:port` or `unix:/path`." }),
    proxyProtocol: buildProxyHeader().optional().meta({
      description: "Send a PROXY protocol header of this version, so that servers see the client's address.",
    }),
    via: buildVia(toAscii).optional().meta({
      description: "Reach the servers through this proxy, SOCKS5 or HTTP CONNECT; it resolves servers given by name.",
    }),
    bind: buildBind().optional().meta({
      description: "Local address that the servers are connected from, in place of `tcp.bind`. Not with deno, bun.",
    }),
  });
}
