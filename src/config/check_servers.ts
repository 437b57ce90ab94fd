/**
 * Servers that nobody would ever reach, and routes that lead straight back to the listener they came in by.
 *
 * Owns: what is wrong with them. At a wildcard address only the start knows this machine's own: it asks here, too.
 */

import { classifyIp, type Endpoint, formatEndpoint, parseIp } from "../address.ts";
import { routesOf } from "../route_table/route_reader.ts";
import type { Config, Destination, ListenerConfig, Target, UpstreamConfig } from "./config.ts";
import type { Fault } from "./fault.ts";
import { quote } from "./quote.ts";

/** Servers of an upstream of which none, or not all, can ever be chosen. */
export function checkServers(upstreams: ReadonlyMap<string, UpstreamConfig>, faults: Fault[]): void {
  for (const [name, { balance, servers }] of upstreams) {
    const at = ["upstreams", name, "servers"];
    const refuse = (reason: string): void =>
      void faults.push({
        code: "conflict",
        at,
        on: "value",
        message: `Cannot use the servers of ${quote(name)}: ${reason}`,
      });
    if (servers.every(({ down }) => down)) refuse("all are down; leave one in service, or route to reject");
    // Of a service, SRV records say who is a backup.
    else if (servers.every(({ backup }) => backup))
      refuse("all are backups; a backup needs a server that it stands in for");
    if (balance.kind === "hash" && servers.some(({ backup }) => backup)) {
      refuse(
        "with hash there are no backups: a key that moves to one would come back to another server; remove backup",
      );
    }
  }
}

/** A way from a listener back to itself. */
interface SelfRoute {
  readonly listener: number;
  /** Its route's, or its upstream's server's. */
  readonly place: string;
  readonly target: Endpoint;
}

/** Faults for what is a loop on any machine. */
export function checkSelfRoutes(
  listeners: readonly ListenerConfig[],
  upstreams: ReadonlyMap<string, UpstreamConfig>,
  faults: Fault[],
): void {
  for (const { listener, place, target } of selfRoutes(listeners, upstreams, new Set())) {
    const message = `Cannot use ${place}: ${formatEndpoint(target)} is this listener itself, and connections would go round in a loop; ${REMEDY}`;
    faults.push({ code: "conflict", at: ["listeners", listener, "address"], on: "value", message });
  }
}

/** The same for a machine with these addresses, in words for its operator; what `checkSelfRoutes` finds is not among them. */
export function selfRouteWarnings({ listeners, upstreams }: Config, ownAddresses: readonly string[]): string[] {
  return selfRoutes(listeners, upstreams, new Set(ownAddresses)).map(
    ({ listener, place, target }) =>
      `${place} leads to ${formatEndpoint(target)}, an address of this machine where listeners[${listener}] takes it in again: a loop; ${REMEDY}`,
  );
}

/** Routes of one table that are looked at: connections may wait for it, a microsecond each. */
const MOST_READ = 2_000;

const REMEDY = "write the address of the server that is meant, or another port";

function selfRoutes(
  listeners: readonly ListenerConfig[],
  upstreams: ReadonlyMap<string, UpstreamConfig>,
  own: ReadonlySet<string>,
): SelfRoute[] {
  const found: SelfRoute[] = [];
  for (const [listener, { endpoint, routes }] of listeners.entries()) {
    // Port 0 is only known later, and cannot be written in a route.
    if (endpoint.kind === "tcp" && endpoint.port === 0) continue;
    const seen = new Set<string>();
    const add = (to: Target, place: string): void => {
      const target = endpointOf(to, endpoint);
      if (target === undefined || !leadsTo(target, endpoint, own) || seen.has(formatEndpoint(target))) return;
      seen.add(formatEndpoint(target));
      found.push({ listener, place, target });
    };
    for (const [to, place] of destinations(routes)) {
      if (to.kind === "ip" || to.kind === "unix") add(to, place);
      if (to.kind !== "upstream") continue;
      const { servers = [], via } = upstreams.get(to.name) ?? {};
      if (via === undefined) servers.forEach(({ target }, i) => void add(target, `upstreams.${to.name}.servers[${i}]`));
    }
  }
  return found;
}

/** Those that are connected to from this machine, not by a proxy. */
function* destinations(routes: ListenerConfig["routes"]): Iterable<readonly [to: Destination, place: string]> {
  // A table that large is made by a program: reading all of it would delay the start.
  const readable = routes.size > MOST_READ ? [] : routesOf(routes);
  for (const { to, text, via } of readable) if (via === undefined) yield [to, `the route ${quote(text)}`];
  yield [routes.default, "the route 'default'"];
}

function endpointOf(target: Target, listener: Endpoint): Endpoint | undefined {
  if (target.kind === "unix") return target;
  const port =
    target.kind !== "ip" ? undefined : (target.port ?? (listener.kind === "tcp" ? listener.port : undefined));
  return target.kind === "ip" && port !== undefined ? { kind: "tcp", ip: target.ip, port } : undefined;
}

function leadsTo(target: Endpoint, listener: Endpoint, own: ReadonlySet<string>): boolean {
  if (target.kind !== "tcp" || listener.kind !== "tcp") return formatEndpoint(target) === formatEndpoint(listener);
  if (target.port !== listener.port) return false;
  // With addresses at hand, only they are asked for: the rest was found before.
  if (own.size > 0) return isAnywhere(listener, target.ip) && own.has(target.ip) && !isLoopback(target.ip);
  return target.ip === listener.ip || (isAnywhere(listener, target.ip) && isLoopback(target.ip));
}

/** `listener` takes what comes to `ip`, should that be this machine's. */
function isAnywhere(listener: { readonly ip: string }, ip: string): boolean {
  return listener.ip === "::" || (listener.ip === "0.0.0.0" && !ip.includes(":"));
}

function isLoopback(ip: string): boolean {
  const address = parseIp(ip);
  return address !== undefined && classifyIp(address) === "loopback";
}
