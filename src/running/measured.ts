/**
 * The numbers of a proxy at work: what its parts are asked for when somebody wants to know.
 *
 * Owns: nothing but the connections between the store and the parts.
 */

import { formatEndpoint } from "../address.ts";
import type { ConfigurationState } from "../admin/api.ts";
import type { Config } from "../config/config.ts";
import type { UpstreamStatus } from "../health/status.ts";
import { MetricsStore } from "../metrics/metrics_store.ts";
import type { AccessLog } from "./access_log.ts";
import type { ProxyEnvironment } from "./environment.ts";
import type { NamesInForce } from "./names_in_force.ts";
import type { Plane } from "./plane.ts";

/** Whose numbers they are. Each is asked for anew. */
export interface MeasuredParts {
  readonly environment: ProxyEnvironment;
  readonly names: NamesInForce;
  readonly log: AccessLog;
  plane(): Plane;
  config(): Config;
  connectionLimit(): number;
  upstreams(): readonly UpstreamStatus[];
  configuration(): ConfigurationState;
  failedReloads(): number;
}

export function measure(parts: MeasuredParts): MetricsStore {
  const { environment, names, log } = parts;
  const { adapter, workerAdapter = adapter, host } = environment;
  return new MetricsStore({
    clock: adapter.clock,
    version: host.version,
    runtime: host.runtime,
    adapter: workerAdapter.name,
    refresh: () => parts.plane().tellMetrics?.(),
    resources: () => host.resources(),
    resolver: names.counts,
    get counts() {
      return parts.plane().counts.snapshot;
    },
    get workers() {
      return parts.plane().workers;
    },
    get openConnections() {
      return parts.plane().openConnections;
    },
    get connectionLimit() {
      return parts.connectionLimit();
    },
    get listeners() {
      const { endpoints } = parts.plane();
      const configs = parts.config().listeners;
      return endpoints.flatMap((endpoint, index) => {
        const config = configs[index];
        return config === undefined ? [] : { address: formatEndpoint(endpoint), protocol: config.protocol };
      });
    },
    get upstreams() {
      return parts.upstreams();
    },
    get configuration() {
      return parts.configuration();
    },
    get failedReloads() {
      return parts.failedReloads();
    },
    get droppedLines() {
      return log.dropped;
    },
  });
}
