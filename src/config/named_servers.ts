/**
 * The host names that a configuration sends connections to.
 *
 * Owns: where they stand, proxies' among them. Names of `direct` are not: those come from clients. Nor are those of servers
 * behind a proxy, which resolves them itself.
 */

import { notedRoutes } from "../route_table/route_reader.ts";
import type { Config, Target } from "./config.ts";
import { viasOf } from "./secrets.ts";

/** A name, and one place where it is used. */
export interface NamedServer {
  readonly name: string;
  readonly place: string;
  /** It is a service's: it has SRV records, not addresses. */
  readonly service: boolean;
}

/** Each name once. */
export function namedServers(config: Config): NamedServer[] {
  const found = new Map<string, NamedServer>();
  const add = (target: Target, place: string, service = false): void => {
    if (target.kind === "host" && !found.has(target.name))
      found.set(target.name, { name: target.name, place, service });
  };
  for (const [name, { servers, via }] of config.upstreams) {
    if (via !== undefined) continue;
    for (const [index, { target, discover }] of servers.entries()) {
      add(target, `upstreams.${name}.servers[${index}]`, discover === "service");
    }
  }
  for (const table of new Set(config.listeners.map((listener) => listener.routes))) {
    for (const { to, text, via } of notedRoutes(table)) {
      if (to.kind === "host" && via === undefined) add(to, `routes.${text}`);
    }
    if (table.default.kind === "host") add(table.default, "routes.default");
  }
  for (const [index, { kinds }] of config.listeners.entries()) {
    for (const kind of ["ssh", "other", "silent"] as const) {
      const to = kinds?.[kind];
      if (to?.kind === "host") add(to, `listeners[${index}].${kind}`);
    }
  }
  for (const [{ target }, place] of viasOf(config)) add(target, place);
  return [...found.values()];
}
