/**
 * The options of an upstream and its servers.
 *
 * Owns: their names, types, defaults, bounds and descriptions. It must not look at two options at once (`check.ts` does).
 */

import * as z from "zod";
import { normalizeConfigName, type ToAscii } from "../hostname.ts";
import { parseBalance } from "./balance_option.ts";
import type { ServerConfig, Target } from "./config.ts";
import { parseTarget, type Refusal } from "./destination.ts";
import { buildHealthCheck } from "./health_options.ts";
import { bool, duration, integer, list, map, text } from "./option_kinds.ts";
import { buildProxyHeader } from "./proxy_header_options.ts";
import { buildBind } from "./tcp_options.ts";
import { buildVia } from "./via_options.ts";

const ADDRESS = "host:port, IP:port or unix:/path";

/** A server that is given by its address alone. */
const PLAIN: Omit<ServerConfig, "target"> = {
  weight: 1,
  backup: false,
  down: false,
  maxConnections: 0,
  maxFails: 1,
  failTimeout: 10_000,
  slowStart: 0,
};

/** RFC 2782: `_service._protocol.name`. */
function readService(value: string, toAscii: ToAscii): string | Refusal {
  const name = normalizeConfigName(value, toAscii);
  if (name !== undefined && /^_[a-z0-9-]+\._(?:tcp|udp|tls)\.[^.]/.test(name)) return name;
  return { error: "it must be a service's name, such as _https._tcp.example.com" };
}

function buildServer(address: z.ZodType<Target, string>, toAscii: ToAscii) {
  const server = map({
    address: address.optional().meta({ description: "As above; or `service`." }),
    service: text("a service's name such as _https._tcp.example.com", (value) => readService(value, toAscii), {
      title: "name",
    })
      .optional()
      .meta({
        description:
          "In place of `address`: the name of a service, such as `_https._tcp.example.com`. Its SRV records (RFC 2782) are the servers: those of the first priority by their weights, the others as backups.",
      }),
    resolve: bool().default(false).meta({
      description:
        "With a name as `address`: each of its addresses is a server of its own, added and dropped as DNS says; open connections stay.",
    }),
    weight: integer(1, 1000, "a whole number from 1 to 1000").default(PLAIN.weight).meta({
      description: "Share of the connections, against the other servers' weights.",
    }),
    backup: bool().default(false).meta({ description: "Only used when no other server can be." }),
    down: bool().default(false).meta({ description: "Not used at all." }),
    maxConnections: integer(0, 1e6, "a whole number from 0 to 1000000").default(0).meta({
      description:
        "Connections at once, exact over all workers; `0`: no limit. What is more takes another server, waits in the `queue`, or is rejected.",
    }),
    maxFails: integer(0, 1000, "a whole number from 0 to 1000").default(PLAIN.maxFails).meta({
      description: "After so many failures within `failTimeout` it is passed over for `failTimeout`; `0`: never.",
    }),
    failTimeout: duration(100).prefault("10s").meta({ description: "See `maxFails`." }),
    slowStart: duration(0).prefault("0s").meta({
      description:
        "How long its weight takes to grow back to the whole after it was passed over. Not with `hash` and `random`.",
    }),
  });
  return server.superRefine(({ address, service, resolve }, context) => {
    const refuse = (path: string | undefined, message: string): void => {
      context.addIssue({ code: "custom", path: path === undefined ? [] : [path], message });
    };
    if (address === undefined && service === undefined)
      refuse(undefined, `the key 'address' is missing; it must be ${ADDRESS}`);
    else if (address !== undefined && service !== undefined)
      refuse("service", "there is an address already; remove one");
    else if (resolve && address?.kind !== "host") refuse("resolve", "only an address that is a name can be resolved");
  });
}

const nextServer = () =>
  map({
    tries: integer(0, 1000, "a whole number from 0 to 1000").default(0).meta({
      description: "Servers that one connection may try, the first one included; `0`: all.",
    }),
    timeout: duration(0).prefault("0s").meta({
      description: "No further server is tried after this; `0s`: as long as `timeouts.connect` lasts.",
    }),
  }).prefault({});

const queue = () =>
  map({
    size: integer(1, 1e6, "a whole number from 1 to 1000000").meta({
      description: "Connections that wait, in all workers together, while every server has its `maxConnections`.",
    }),
    timeout: duration(1)
      .prefault("60s")
      .meta({ description: "How long one waits; `timeouts.connect` begins after it." }),
  }).optional();

export function buildUpstream(toAscii: ToAscii) {
  const address = text(ADDRESS, (value): Target | Refusal => parseTarget(value, toAscii), { title: "server" });
  const fromText = address.transform((target) => ({ address: target, service: undefined, resolve: false, ...PLAIN }));
  const server = buildServer(address, toAscii);
  return map({
    balance: text("a method such as least_conn", parseBalance, { title: "method" }).prefault("round_robin").meta({
      description:
        "How a server is chosen: `round_robin`, `least_conn`, `random`, `random two least_conn`, `hash KEY` or `hash KEY consistent`; KEY is text with `$variables`.",
    }),
    servers: list(z.union([fromText, server], { error: `it must be ${ADDRESS}, or a map with address` }), "servers")
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
    nextServer: nextServer(),
    queue: queue(),
    healthCheck: buildHealthCheck(toAscii).optional().meta({
      description: "Look after the servers by active checks: `tcp`, `tls`, `http`, or a map.",
    }),
  });
}
