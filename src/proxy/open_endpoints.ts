/**
 * Where the listeners of a configuration are open already.
 *
 * Owns: which of the former listeners each one is. It must not open any.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import type { ListenerConfig } from "../config/config.ts";

/** Listeners that are open: as they were configured, and where they are. */
export interface FormerListeners {
  readonly listeners: readonly Pick<ListenerConfig, "endpoint">[];
  readonly endpoints: readonly Endpoint[];
}

/** For each listener of `wanted`, where it is; undefined: it is not open. One for port 0 is the former one for port 0. */
export function openEndpoints(
  wanted: readonly Pick<ListenerConfig, "endpoint">[],
  { listeners, endpoints }: FormerListeners,
): (Endpoint | undefined)[] {
  const left = endpoints.map((endpoint, index) => {
    const { endpoint: configured } = listeners[index] as Pick<ListenerConfig, "endpoint">;
    return { endpoint, names: new Set([formatEndpoint(configured), formatEndpoint(endpoint)]) };
  });
  return wanted.map(({ endpoint }) => {
    const found = left.findIndex(({ names }) => names.has(formatEndpoint(endpoint)));
    return found < 0 ? undefined : left.splice(found, 1)[0]?.endpoint;
  });
}
