/**
 * The names that a configuration has connections go to: servers' and proxies'.
 *
 * Owns: which they are. Servers behind a proxy are not among them: it resolves those.
 */

import type { Config, Target } from "./config/config.ts";
import { viasOf } from "./config/secrets.ts";

/** A name, and one place where it is used. */
export interface NamedServer {
  readonly name: string;
  readonly place: string;
  /** It is a service's: it has SRV records, not addresses. */
  readonly service: boolean;
}

/** Each name once. */
export function resolvedNames(config: Config): Map<string, NamedServer> {
  const found = new Map<string, NamedServer>();
  const add = (target: Target, place: string, service = false): void => {
    if (target.kind === "host" && !found.has(target.name))
      found.set(target.name, { name: target.name, place, service });
  };
  for (const [name, { servers, via }] of config.upstreams) {
    for (const [index, { target, discover }] of servers.entries()) {
      if (via === undefined || discover !== undefined) {
        add(target, `upstreams.${name}.servers[${index}]`, discover === "service");
      }
    }
  }
  for (const table of new Set(config.listeners.map((listener) => listener.routes))) {
    for (const { to, text, via } of table.patterns)
      if (to.kind === "host" && via === undefined) add(to, `routes.${text}`);
    if (table.default.kind === "host") add(table.default, "routes.default");
  }
  for (const [index, { kinds }] of config.listeners.entries()) {
    for (const kind of ["ssh", "other", "silent"] as const) {
      const to = kinds?.[kind];
      if (to?.kind === "host") add(to, `listeners[${index}].${kind}`);
    }
  }
  for (const [{ target }, place] of viasOf(config)) add(target, place);
  return found;
}
