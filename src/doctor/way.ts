/**
 * Which server a routed name reaches, and how it is asked about that.
 *
 * Owns: the plan of one TLS check as the name's own client would do it. It must not ask.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import type { Config, ListenerConfig, Route, Target } from "../config/config.ts";
import { defaultHealthCheck } from "../config/health_options.ts";
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
const TIMEOUT = 3_000;

/** Undefined where nobody can be asked: it is rejected, or behind a proxy, or a service whose servers only DNS knows. */
export function planOf(config: Config, { name, listener, route }: RoutedName): CheckPlan | undefined {
  const { to, via } = route;
  const check = { ...defaultHealthCheck("tls"), timeout: TIMEOUT, verify: true };
  if (via !== undefined || to.kind === "reject") return undefined;
  if (to.kind !== "upstream") {
    const target: Target = to.kind === "direct" ? { kind: "host", name, port: to.port ?? portOf(listener) } : to;
    return { ...ALONE, address: addressOf(target, listener), where: whereOf(target, listener), check, names: [name] };
  }
  const upstream = config.upstreams.get(to.name);
  if (upstream === undefined || upstream.via !== undefined) return undefined;
  const places = configuredPlaces(upstream, { servers: upstream.servers.map((_, index) => index) });
  const plan = planChecks(config, [], upstream, places, check)[0];
  return plan && { ...plan, names: [name] };
}

const ALONE = { upstream: "", slot: 0, host: "", bind: [], prefix: undefined };

function portOf({ endpoint, protocol }: ListenerConfig): number {
  return endpoint.kind === "tcp" && endpoint.port !== 0 ? endpoint.port : DEFAULT_PORTS[protocol];
}

function whereOf(target: Target, listener: ListenerConfig): Endpoint | Extract<Target, { kind: "host" }> {
  if (target.kind === "ip") return { kind: "tcp", ip: target.ip, port: target.port ?? portOf(listener) };
  return target;
}

function addressOf(target: Target, listener: ListenerConfig): string {
  const where = whereOf(target, listener);
  return where.kind === "host" ? `${where.name}:${where.port}` : formatEndpoint(where);
}
