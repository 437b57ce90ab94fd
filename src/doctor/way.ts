/**
 * Which server a routed name reaches, and how it is asked about that.
 *
 * Owns: the plan of one check as the name's own client would do it. It must not ask.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import type { Config, ListenerConfig, Route, Target } from "../config/config.ts";
import { defaultHealthCheck } from "../config/health_options.ts";
import { viaText } from "../config/via_options.ts";
import { type CheckPlan, planChecks } from "../health/check_plan.ts";
import { DEFAULT_PORTS } from "../proxy/listener_settings.ts";
import { configuredPlaces } from "../upstream/upstream.ts";

/** A name, the listener that it comes in by, and its route there. */
export interface RoutedName {
  readonly name: string;
  readonly listener: ListenerConfig;
  readonly route: Route;
}

/** Milliseconds for one server. */
export const SERVER_TIMEOUT = 3_000;

/** In words, why nobody can be asked: it is behind a proxy, or a service whose servers only DNS knows. */
export function planOf(config: Config, { name, listener, route }: RoutedName): CheckPlan | string {
  const { to, via } = route;
  if (via !== undefined) return `its servers are behind ${viaText(via)}`;
  if (to.kind === "reject") return "it is rejected";
  // PostgreSQL's TLS begins after a greeting, which a check of certless' does not know.
  const type = listener.protocol === "postgres" ? "tcp" : "tls";
  const check = { ...defaultHealthCheck(type), timeout: SERVER_TIMEOUT, verify: type === "tls" };
  if (to.kind !== "upstream") {
    const port = portOf(listener);
    const target: Target = to.kind === "direct" ? { kind: "host", name, port: to.port ?? port } : to;
    const where = whereOf(target, port);
    const bind = route.bind ?? config.tcp.bind;
    return { ...ALONE, address: addressText(where), where, check, names: [name], bind, closely: true };
  }
  const upstream = config.upstreams.get(to.name)!;
  if (upstream.via !== undefined) return `its servers are behind ${viaText(upstream.via)}`;
  const places = configuredPlaces(upstream, { servers: upstream.servers.map((_, index) => index) });
  const asked = places.filter(({ server }) => upstream.servers[server]?.discover !== "service");
  const plan = planChecks(config, [], upstream, asked, check)[0];
  if (plan === undefined) return `upstream ${to.name} has no server that could be asked for one name`;
  return { ...plan, names: [name], bind: route.bind ?? plan.bind, closely: true };
}

const ALONE = { upstream: "", slot: 0, host: "", prefix: undefined };

/** Where clients of a listener connect to. */
export function portOf({ endpoint, protocol }: Pick<ListenerConfig, "endpoint" | "protocol">): number {
  return endpoint.kind === "tcp" && endpoint.port !== 0 ? endpoint.port : DEFAULT_PORTS[protocol];
}

/** Clients find listeners of one group at one address and port. */
export function groupOf(listener: Pick<ListenerConfig, "endpoint" | "protocol">): string {
  const { endpoint } = listener;
  if (endpoint.kind === "unix") return formatEndpoint(endpoint);
  const ip = endpoint.ip === "::" || endpoint.ip === "0.0.0.0" ? "*" : endpoint.ip;
  return `${ip} ${portOf(listener)}`;
}

function whereOf(target: Target, port: number): CheckPlan["where"] {
  if (target.kind === "ip") return { kind: "tcp", ip: target.ip, port: target.port ?? port };
  return target;
}

function addressText(where: Endpoint | Extract<Target, { kind: "host" }>): string {
  return where.kind === "host" ? `${where.name}:${where.port}` : formatEndpoint(where);
}
