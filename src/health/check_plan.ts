/**
 * What is checked, and as whom: each server of each upstream with a `healthCheck`.
 *
 * Owns: the names that a check asks for, and the port where a server has none of its own. It must not connect.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import type { Config, Destination, ListenerConfig, Target, UpstreamConfig } from "../config/config.ts";
import type { HealthCheckConfig } from "../config/health_config.ts";
import { writeLocalHeader } from "../proxy_protocol/local_header.ts";
import { NOTED_NAMES } from "../route_table/route_table_builder.ts";
import type { MemberPlace } from "../upstream/upstream.ts";

export interface CheckPlan {
  readonly upstream: string;
  /** The server's place on the board. */
  readonly slot: number;
  readonly isBackup?: boolean;
  /** As a person reads it: `10.0.0.1:443`, `api.internal:443`, `unix:/run/a.sock`. */
  readonly address: string;
  readonly where: Endpoint | { readonly kind: "host"; readonly name: string; readonly port: number };
  readonly check: HealthCheckConfig;
  /** `tls`: the names to ask for; one that is undefined: without a name. Never empty. */
  readonly names: readonly (string | undefined)[];
  /** `tls`: see `ProbeTls`. */
  readonly closely?: boolean;
  /** `http`: the Host field. */
  readonly host: string;
  /** Local addresses to connect from. */
  readonly bind: readonly string[];
  /** The PROXY header that the server expects. */
  readonly prefix: Uint8Array | undefined;
}

/**
 * The checks of an upstream's servers at work, in their order; none where it has no `healthCheck`, nor of servers that
 * are `down` by the configuration.
 * @param endpoints where the listeners of `config` listen, in their order.
 */
export function planChecks(
  config: Config,
  endpoints: readonly Endpoint[],
  upstream: UpstreamConfig,
  places: readonly MemberPlace[],
  check: HealthCheckConfig | undefined = upstream.healthCheck,
): CheckPlan[] {
  if (check === undefined) return [];
  const protocol = check.type === "http" ? "http" : "tls";
  const names = routedNames(config, upstream.name, protocol);
  const port = listenerPort(config, endpoints, upstream.name, protocol);
  const prefix = upstream.proxyProtocol && writeLocalHeader(upstream.proxyProtocol.version);
  const used = places.filter(({ server }) => upstream.servers[server]?.down !== true);
  return used.map(({ slot, server, target, backup }) => {
    const where = withPort(target, check.port, port);
    const address = addressOf(where);
    return {
      upstream: upstream.name,
      slot,
      isBackup: backup ?? upstream.servers[server]?.backup === true,
      address,
      where,
      check,
      names: check.serverName !== undefined ? [check.serverName] : names.length > 0 ? names : [undefined],
      host: check.request.host ?? names[0] ?? (where.kind === "unix" ? "localhost" : address),
      bind: upstream.bind ?? config.tcp.bind,
      prefix,
    };
  });
}

function addressOf(where: CheckPlan["where"]): string {
  return where.kind === "host" ? `${where.name}:${where.port}` : formatEndpoint(where);
}

function withPort(target: Target, asked: number | undefined, fallback: number): CheckPlan["where"] {
  if (target.kind === "unix") return target;
  if (target.kind === "host") return { ...target, port: asked ?? target.port };
  return { kind: "tcp", ip: target.ip, port: asked ?? target.port ?? fallback };
}

/** Where a listener may lead without a name that it has a route for. */
function otherwise({ routes, kinds }: ListenerConfig): Destination[] {
  const byKind = kinds === undefined ? [] : [kinds.ssh, kinds.other, kinds.silent ?? kinds.other];
  return [routes.default, ...byKind];
}

/** Listeners that may lead to `upstream`: those of `protocol`, or any where there is none. */
function listenersTo(config: Config, upstream: string, protocol: ListenerConfig["protocol"]): ListenerConfig[] {
  const all = config.listeners.filter(
    (listener) =>
      listener.routes.upstreams.has(upstream) ||
      otherwise(listener).some((to) => to.kind === "upstream" && to.name === upstream),
  );
  const own = all.filter((listener) => listener.protocol === protocol);
  return own.length > 0 ? own : all;
}

/** The exact names whose routes lead to `upstream`, the first ones: each is a handshake. */
export function routedNames(config: Config, upstream: string, protocol: ListenerConfig["protocol"]): string[] {
  const names = new Set<string>();
  for (const { routes } of listenersTo(config, upstream, protocol)) {
    for (const name of routes.upstreams.get(upstream) ?? []) names.add(name);
  }
  return [...names].slice(0, NOTED_NAMES);
}

function listenerPort(
  config: Config,
  endpoints: readonly Endpoint[],
  upstream: string,
  protocol: ListenerConfig["protocol"],
): number {
  for (const listener of listenersTo(config, upstream, protocol)) {
    const endpoint = endpoints[config.listeners.indexOf(listener)] ?? listener.endpoint;
    if (endpoint.kind === "tcp") return endpoint.port;
  }
  return protocol === "tls" ? 443 : 80;
}
