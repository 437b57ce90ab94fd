/**
 * What only shows when options are looked at together, and the `Config` that comes of them.
 *
 * Owns: references, conflicts between options, and the way from what was parsed to what the program uses. It must not
 * know types and bounds of single options: `schema.ts` does.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import { createCidrSet } from "../cidr_set.ts";
import type { ToAscii } from "../hostname.ts";
import { routesOf } from "../route_table/route_reader.ts";
import { toAccess } from "./access_options.ts";
import { checkAccount } from "./account_options.ts";
import { checkAdmin } from "./admin_options.ts";
import { checkSelfRoutes, checkServers } from "./check_servers.ts";
import { checkUpstreamVia, checkViaUnix } from "./check_via.ts";
import type {
  Config,
  Destination,
  KindsConfig,
  ListenerConfig,
  RouteTable,
  ServerConfig,
  UpstreamConfig,
} from "./config.ts";
import { refuseUpstreamName } from "./destination.ts";
import type { ConfigErrorCode, Fault, Path, Positions } from "./fault.ts";
import { checkHealthCheck } from "./health_conflicts.ts";
import { toHealthCheck } from "./health_options.ts";
import { readKinds } from "./kind_options.ts";
import { quote } from "./quote.ts";
import { NO_ROUTES, type RouteContext, readRoutes } from "./routes.ts";
import { createSchema, type ParsedConfig, type ParsedListener, type ParsedUpstream } from "./schema.ts";

/** A configuration, or everything that is wrong with it. */
export type Checked = { readonly config: Config } | { readonly faults: readonly Fault[] };

/** Listeners and upstreams that make sense by themselves, whatever else is wrong. */
interface Parts {
  readonly listeners: readonly (ParsedListener | undefined)[];
  readonly upstreams: ReadonlyMap<string, UpstreamConfig>;
}

/** Checks plain values, from a file or a program. */
export function checkConfig(value: unknown, positions: Positions, toAscii: ToAscii): Checked {
  const schema = createSchema(toAscii);
  const reading = schema.readConfig(value);
  const faults: Fault[] = "faults" in reading ? [...reading.faults] : [];
  if (!isMap(value)) return { faults };
  const names = isMap(value.upstreams) ? Object.keys(value.upstreams) : [];
  checkUpstreamNames(names, faults);
  const parts: Parts =
    "value" in reading
      ? { listeners: reading.value.listeners, upstreams: toUpstreams(Object.entries(reading.value.upstreams), faults) }
      : {
          listeners: Array.isArray(value.listeners) ? value.listeners.map(schema.readListener) : [],
          upstreams: toUpstreams(
            names.map((name) => [name, schema.readUpstream(memberOf(value.upstreams, name))]),
            faults,
          ),
        };
  checkUpstreams(parts.upstreams, faults);
  checkServers(parts.upstreams, faults);
  const context: RouteContext = { toAscii, upstreams: new Set(names), positions, faults };
  const routes = value.routes === undefined ? NO_ROUTES : readRoutes(value.routes, ["routes"], context);
  const listeners = readListeners(value.listeners, parts, routes, context);
  checkRoutesGiven(value, faults);
  checkBurst(value.limits, faults);
  checkAccount(value, faults);
  checkUpstreamVia(parts.upstreams, faults);
  if ("value" in reading) checkAdmin(reading.value.admin, faults);
  return faults.length > 0 || !("value" in reading)
    ? { faults }
    : { config: toConfig(reading.value, listeners, routes, parts.upstreams) };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function memberOf(value: unknown, key: string): unknown {
  return isMap(value) ? value[key] : undefined;
}

function conflict(faults: Fault[], at: Path, message: string, code: ConfigErrorCode = "conflict"): void {
  faults.push({ code, at, on: "value", message });
}

function checkUpstreamNames(names: readonly string[], faults: Fault[]): void {
  for (const name of names) {
    const reason = refuseUpstreamName(name);
    if (reason === undefined) continue;
    const message = `Cannot name an upstream ${quote(name)}: ${reason}`;
    faults.push({ code: "bad_value", at: ["upstreams", name], on: "key", message });
  }
}

/** Options that nothing would come of. */
function checkUpstreams(upstreams: ReadonlyMap<string, UpstreamConfig>, faults: Fault[]): void {
  for (const [name, { balance, servers, queue }] of upstreams) {
    if (queue !== undefined && servers.every(({ maxConnections }) => maxConnections === 0)) {
      const message =
        "Cannot use queue: no server has maxConnections, so that nobody would ever wait; set it, or remove queue";
      conflict(faults, ["upstreams", name, "queue"], message);
    }
    if (balance.kind === "round_robin" || balance.kind === "least_conn") continue;
    for (const [index, { slowStart }] of servers.entries()) {
      if (slowStart === 0) continue;
      const method = balance.kind === "hash" ? "hash" : "random";
      const message = `Cannot use slowStart: ${method} does not look at how long a server has been there; remove it`;
      conflict(faults, ["upstreams", name, "servers", index, "slowStart"], message);
    }
  }
}

function toUpstreams(
  entries: readonly (readonly [string, ParsedUpstream | undefined])[],
  faults: Fault[],
): Map<string, UpstreamConfig> {
  const upstreams = new Map<string, UpstreamConfig>();
  for (const [name, parsed] of entries) {
    if (parsed === undefined) continue;
    const { servers, proxyProtocol, via, bind, queue, healthCheck, ...options } = parsed;
    if (healthCheck !== undefined) checkHealthCheck(healthCheck, ["upstreams", name, "healthCheck"], faults);
    upstreams.set(name, {
      ...options,
      name,
      proxyProtocol,
      via,
      bind,
      queue,
      healthCheck: healthCheck && toHealthCheck(healthCheck),
      servers: servers.map(toServer),
    });
  }
  return upstreams;
}

function toServer({ address, service, resolve, ...server }: ParsedUpstream["servers"][number]): ServerConfig {
  if (service !== undefined) {
    return { ...server, target: { kind: "host", name: service, port: 0 }, discover: "service" };
  }
  return resolve ? { ...server, target: address!, discover: "address" } : { ...server, target: address! };
}

function readListeners(value: unknown, parts: Parts, global: RouteTable, context: RouteContext): ListenerConfig[] {
  const listeners: ListenerConfig[] = [];
  for (const [index, parsed] of parts.listeners.entries()) {
    const at = ["listeners", index];
    const own = parsed === undefined ? memberOf((value as unknown[])[index], "routes") : parsed.routes;
    const routes = own === undefined ? global : readRoutes(own, [...at, "routes"], context);
    if (parsed === undefined) continue;
    checkListener(parsed, at, context.faults);
    if (parsed.address.kind === "unix") {
      checkPorts(routes, own === undefined ? ["routes"] : [...at, "routes"], parsed.address, parts, context.faults);
    }
    const kinds = readKinds(parsed, at, context);
    checkViaUnix(routes, own === undefined ? ["routes"] : [...at, "routes"], parts.upstreams, context.faults);
    const access = toAccess(parsed, at, context.faults);
    listeners.push({ ...toListener(parsed, routes, kinds), ...(access && { access }) });
  }
  checkAddresses(parts.listeners, context.faults);
  if (!parts.listeners.includes(undefined)) checkSelfRoutes(listeners, parts.upstreams, context.faults);
  return listeners;
}

function checkListener(listener: ParsedListener, at: Path, faults: Fault[]): void {
  const { address, protocol, proxyProtocol, trustedProxies, redirectToHttps } = listener;
  if (proxyProtocol && trustedProxies.length === 0 && address.kind === "tcp") {
    const reason = "trustedProxies is empty, so that no peer could connect; name the proxies' networks";
    conflict(faults, [...at, "proxyProtocol"], `Cannot require a PROXY header: ${reason}`);
  }
  if (!proxyProtocol && trustedProxies.length > 0) {
    const reason = "without 'proxyProtocol: true' no PROXY header is read";
    conflict(faults, [...at, "trustedProxies"], `Cannot use trustedProxies: ${reason}`);
  }
  if (redirectToHttps !== false && protocol !== "http" && protocol !== "any") {
    const reason = "clients of this listener speak TLS already; it needs 'protocol: http' or 'any'";
    conflict(faults, [...at, "redirectToHttps"], `Cannot use redirectToHttps: ${reason}`);
  }
}

/** Two listeners on one endpoint; `[::]` takes IPv4 as well. */
function checkAddresses(listeners: readonly (ParsedListener | undefined)[], faults: Fault[]): void {
  const seen = new Map<string, number>();
  for (const [index, listener] of listeners.entries()) {
    if (listener === undefined || isFreePort(listener.address)) continue;
    const text = formatEndpoint(listener.address);
    const earlier = seen.get(text);
    if (earlier === undefined) {
      seen.set(text, index);
      continue;
    }
    const message = `Cannot listen on ${text} twice: listeners[${earlier}] does already; remove one`;
    conflict(faults, ["listeners", index, "address"], message, "duplicate_listener");
  }
  for (const [text, index] of seen) {
    const port = text.startsWith("0.0.0.0:") ? text.slice("0.0.0.0:".length) : undefined;
    const both = port === undefined ? undefined : seen.get(`[::]:${port}`);
    if (both === undefined) continue;
    const message = `Cannot listen on ${text} and [::]:${port}: the latter takes IPv4 as well; remove ${text}`;
    conflict(faults, ["listeners", index, "address"], message, "duplicate_listener");
  }
}

function isFreePort(endpoint: Endpoint): boolean {
  return endpoint.kind === "tcp" && endpoint.port === 0;
}

/** A `unix:` listener has no port to pass on. */
function checkPorts(routes: RouteTable, at: Path, listener: Endpoint, parts: Parts, faults: Fault[]): void {
  const needsPort = (to: Destination): boolean => {
    if (to.kind === "upstream") return parts.upstreams.get(to.name)?.servers.some((s) => needsPort(s.target)) ?? false;
    return (to.kind === "direct" || to.kind === "ip") && to.port === undefined;
  };
  const report = (text: string): void => {
    const reason = `${quote(formatEndpoint(listener))} has no port of its own; write the destination's, as in direct:443`;
    conflict(faults, [...at, text], `Cannot route ${quote(text)} from a unix: listener: ${reason}`);
  };
  for (const { to, text } of routesOf(routes)) if (needsPort(to)) report(text);
  if (needsPort(routes.default)) report("default");
}

/** A burst of what is not limited. */
function checkBurst(limits: unknown, faults: Fault[]): void {
  if (memberOf(limits, "burst") === undefined || memberOf(limits, "newPerSecond") !== undefined) return;
  const reason = "it says how many of limits.newPerSecond may come at once; add that, or remove burst";
  faults.push({ code: "conflict", at: ["limits", "burst"], on: "key", message: `Cannot use limits.burst: ${reason}` });
}

/** Routes may only be left out where every listener has its own. A redirect needs them as well: only routed names get one. */
function checkRoutesGiven(value: Record<string, unknown>, faults: Fault[]): void {
  if (value.routes !== undefined || !Array.isArray(value.listeners)) return;
  if (value.listeners.every((listener) => memberOf(listener, "routes") !== undefined)) return;
  const message =
    "Cannot use the configuration: the key 'routes' is missing; it must be a map from names to destinations, " +
    "such as 'api.example.com: direct'";
  faults.push({ code: "missing_key", at: ["routes"], on: "parent", message });
}

function toListener(parsed: ParsedListener, routes: RouteTable, kinds: KindsConfig | undefined): ListenerConfig {
  const { address: endpoint, protocol, proxyProtocol, redirectToHttps, rate } = parsed;
  const redirect = redirectToHttps === true ? 443 : redirectToHttps === false ? undefined : redirectToHttps;
  const trustedProxies = createCidrSet(parsed.trustedProxies);
  const listener = { endpoint, protocol, kinds, proxyProtocol, trustedProxies, redirectToHttps: redirect, routes };
  return rate === undefined ? listener : { ...listener, rate };
}

function toConfig(
  { timeouts, resolver, selfAddresses, limits, log, tcp, admin, user, group, adapter, workers, watch }: ParsedConfig,
  listeners: readonly ListenerConfig[],
  routes: RouteTable,
  upstreams: ReadonlyMap<string, UpstreamConfig>,
): Config {
  const access = log.access === false ? undefined : log.access;
  return {
    listeners,
    routes,
    upstreams,
    timeouts,
    resolver,
    selfAddresses,
    limits,
    log: { access },
    tcp,
    ...(user !== undefined && { user, group }),
    ...(admin && { admin }),
    adapter,
    workers,
    watch,
  };
}
