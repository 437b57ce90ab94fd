/**
 * The names that have to resolve before a proxy can start: servers' and proxies'.
 *
 * Owns: which they are. Servers behind a proxy are not among them: it resolves those.
 */

import type { Config, Target } from "./config/config.ts";
import { viasOf } from "./config/secrets.ts";

/** Each name with one place where it is used. */
export function resolvedNames(config: Config): Map<string, string> {
  const found = new Map<string, string>();
  const add = (target: Target, place: string): void => {
    if (target.kind === "host" && !found.has(target.name)) found.set(target.name, place);
  };
  for (const [name, { servers, via }] of config.upstreams) {
    if (via !== undefined) continue;
    for (const [index, { target }] of servers.entries()) add(target, `upstreams.${name}.servers[${index}]`);
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
