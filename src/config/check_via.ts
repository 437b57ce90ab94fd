/**
 * What only shows when `via` and servers are looked at together: a proxy cannot lead to a `unix:` socket of this machine,
 * names behind a proxy are the proxy's to resolve, and servers behind one are out of reach of health checks.
 */

import { notedRoutes, routesOf } from "../route_table/route_reader.ts";
import type { Route, RouteTable, UpstreamConfig } from "./config.ts";
import type { Fault, Path } from "./fault.ts";
import { quote } from "./quote.ts";

const REMEDY = "a proxy cannot lead to a unix: socket of this machine; put it in an upstream without via";

function unixServer({ servers }: UpstreamConfig): number {
  return servers.findIndex(({ target }) => target.kind === "unix");
}

export function checkUpstreamVia(upstreams: ReadonlyMap<string, UpstreamConfig>, faults: Fault[]): void {
  for (const [name, upstream] of upstreams) {
    const index = upstream.via === undefined ? -1 : unixServer(upstream);
    if (index < 0) continue;
    const message = `Cannot reach a server of ${quote(name)} by via: ${REMEDY}`;
    faults.push({ code: "conflict", at: ["upstreams", name, "servers", index], on: "value", message });
  }
  for (const [name, upstream] of upstreams) {
    if (upstream.via === undefined) continue;
    checkDiscovered(name, upstream, faults);
    checkChecked(name, upstream, faults);
  }
}

function checkDiscovered(name: string, { servers }: UpstreamConfig, faults: Fault[]): void {
  for (const [index, { discover }] of servers.entries()) {
    if (discover === undefined) continue;
    const option = discover === "service" ? "service" : "resolve";
    const message = `Cannot use ${option} behind the via of ${quote(name)}: the proxy resolves names itself; write host:port`;
    faults.push({ code: "conflict", at: ["upstreams", name, "servers", index, option], on: "key", message });
  }
}

function checkChecked(name: string, { healthCheck }: UpstreamConfig, faults: Fault[]): void {
  if (healthCheck === undefined) return;
  const reason = "checks go straight to the servers, not through proxies; remove it, or set via on the routes instead";
  const message = `Cannot use healthCheck behind the via of ${quote(name)}: ${reason}`;
  faults.push({ code: "conflict", at: ["upstreams", name, "healthCheck"], on: "key", message });
}

/** A route's own `via`, in front of an upstream with such a server. */
export function checkViaUnix(
  routes: RouteTable,
  at: Path,
  upstreams: ReadonlyMap<string, UpstreamConfig>,
  faults: Fault[],
): void {
  const isFault = ({ to, via }: Route): boolean => {
    const upstream = via === undefined || to.kind !== "upstream" ? undefined : upstreams.get(to.name);
    return upstream !== undefined && unixServer(upstream) >= 0;
  };
  // Hardly ever: then all routes are gone through.
  if (![...notedRoutes(routes)].some(isFault)) return;
  for (const { text } of [...routesOf(routes)].filter(isFault)) {
    const message = `Cannot use via on the route ${quote(text)}: ${REMEDY}`;
    faults.push({ code: "conflict", at: [...at, text, "via"], on: "key", message });
  }
}
