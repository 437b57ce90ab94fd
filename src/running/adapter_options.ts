/**
 * Options that only some adapters can carry out: refused, not forgotten.
 */

import type { Adapter } from "../adapter.ts";
import type { Config, Route } from "../config/config.ts";
import { notedRoutes, routesOf } from "../route_table/route_reader.ts";
import { StartError } from "../start_error.ts";

/** @throws {StartError} where the configuration asks for what the adapter has no way to do. */
export function checkAdapterOptions(
  config: Config,
  { name, capabilities }: Pick<Adapter, "name" | "capabilities">,
): void {
  const { tcp } = config;
  const asked = { bind: tcp.bind.length > 0, fastOpen: tcp.fastOpen, userTimeout: tcp.userTimeout > 0 };
  const faults = (["bind", "fastOpen", "userTimeout"] as const).filter(
    (option) => asked[option] && !capabilities[option],
  );
  const places = [...faults.map((option) => `tcp.${option}`), ...(capabilities.bind ? [] : bindsOf(config))];
  if (places.length === 0) return;
  const remedy = "remove it, or use the adapter linux";
  throw new StartError(
    places.map((option) => `Cannot set ${option}: the adapter ${name} has no way to; ${remedy}`).join("\n"),
  );
}

/** Every `bind` of an upstream and of a route. */
function bindsOf(config: Config): string[] {
  const upstreams = [...config.upstreams].filter(([, { bind }]) => bind !== undefined);
  const tables = [...new Set(config.listeners.map(({ routes }) => routes))];
  const binds = ({ bind }: Route): boolean => bind !== undefined;
  const routes = tables.flatMap((table) =>
    [...notedRoutes(table)].some(binds) ? [...routesOf(table)].filter(binds) : [],
  );
  return [...upstreams.map(([name]) => `upstreams.${name}.bind`), ...routes.map(({ text }) => `routes.${text}.bind`)];
}
