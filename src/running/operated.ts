/**
 * A proxy at work as the admin interface sees it.
 *
 * Owns: nothing: each of its members asks whoever knows.
 */

import type { OperatedProxy } from "../admin/operated_proxy.ts";
import type { Surroundings } from "../workers/surroundings.ts";
import type { AccessLog } from "./access_log.ts";
import type { ProxyEnvironment } from "./environment.ts";
import type { Plane } from "./plane.ts";
import type { ProxyAtWork } from "./running_proxy.ts";

export interface OperatedParts {
  readonly proxy: ProxyAtWork;
  readonly plane: Plane;
  readonly around: Surroundings;
  readonly log: AccessLog;
  readonly environment: ProxyEnvironment;
}

export function operatedProxy({ proxy, plane, around, log, environment }: OperatedParts): OperatedProxy {
  const { adapter, workerAdapter = adapter, host, drain } = environment;
  const { clock } = adapter;
  return {
    version: host.version,
    runtime: host.runtime,
    adapter: workerAdapter.name,
    startedAt: clock.wallTime(),
    drain,
    ask: (question, only) => plane.ask(question, only),
    get numbers() {
      return proxy.metrics;
    },
    get now() {
      return clock.wallTime();
    },
    get state() {
      return proxy.isStopping ? "draining" : "running";
    },
    get config() {
      return proxy.config;
    },
    get configuration() {
      return proxy.configuration;
    },
    get endpoints() {
      return plane.endpoints;
    },
    get upstreams() {
      return around.upstreams;
    },
    get threads() {
      return plane.threads;
    },
    get openConnections() {
      return plane.openConnections;
    },
    get connectionLimit() {
      return proxy.connectionLimit;
    },
    get counts() {
      return plane.counts.snapshot;
    },
    get droppedLines() {
      return log.dropped;
    },
    get descriptorLimit() {
      return host.descriptorLimit();
    },
    toAscii: (name) => host.domainToAscii(name),
    breathe: () => new Promise((resolve) => void clock.after(0, resolve)),
    after: (milliseconds, late) => clock.after(milliseconds, late),
    reload: () => proxy.reloadFile(),
    switchServer: (upstream, address, isIn) => around.switchServer(upstream, address, isIn),
  };
}
