/**
 * The library: a running proxy from a configuration.
 *
 * Owns: putting the parts together (adapter, resolver, log, limits). The command line uses it as any program would.
 */

import type { Adapter } from "./adapter.ts";
import { type Endpoint, formatEndpoint } from "./address.ts";
import type { ConfigurationState, ReloadOutcome } from "./admin/api.ts";
import type { Config } from "./config/config.ts";
import { type ConfigError, configFromObject, formatConfigError } from "./config/load.ts";
import type { ConfigInput } from "./config/schema.ts";
import type { ConnectionRecord } from "./connection_record.ts";
import type { UpstreamStatus } from "./health/status.ts";
import type { Host } from "./host.ts";
import type { ConnectionCounts } from "./metrics/counts.ts";
import type { ProxyMetrics } from "./metrics/proxy_metrics.ts";
import type { ProxyEnvironment } from "./running/environment.ts";
import type { Reread } from "./running/reload_outcome.ts";
import { type ConfigOrigin, ProxyAtWork } from "./running/running_proxy.ts";
import { StartError } from "./start_error.ts";

export type { CertificateStatus, ServerStatus, UpstreamStatus } from "./health/status.ts";
export type { ProxyMetrics, RouteNumbers, Totals } from "./metrics/proxy_metrics.ts";
export type { Traffic } from "./metrics/traffic.ts";
export { ListenError } from "./proxy/listen_error.ts";
export type { ProxyEnvironment, WorkerAdapter } from "./running/environment.ts";
export type {
  Adapter,
  Config,
  ConfigError,
  ConfigInput,
  ConfigOrigin,
  ConfigurationState,
  ConnectionCounts,
  ConnectionRecord,
  Endpoint,
  Host,
  ReloadOutcome,
};
export { formatEndpoint, StartError };

/** A running proxy. */
export interface RunningProxy {
  /** Where it listens, in the order of the configuration, with the ports that were given for 0. */
  readonly endpoints: readonly Endpoint[];
  readonly openConnections: number;
  /** Connections that have ended since the start, by reason code; workers tell theirs within 50 ms. */
  readonly counts: ConnectionCounts;
  /** Threads that carry connections; 1 may be the caller's own. */
  readonly workers: number;
  /** All numbers, for as long as the environment asks for them (`metrics: true`). */
  readonly metrics: ProxyMetrics | undefined;
  /** Each upstream's servers, how their checks find them, and their certificates. */
  readonly upstreams: readonly UpstreamStatus[];
  /** The configuration in force. */
  readonly config: Config;
  /** Where the admin interface listens; undefined: there is none. */
  readonly admin: Endpoint | undefined;
  /** Where it came from, and how the last reload went. */
  readonly configuration: ConfigurationState;
  /**
   * Puts another configuration in force: `config`, or the file that it was read from, read anew. Where that has faults,
   * the former one stays, and the outcome says why. New connections take the new routes; open ones go on, but where their
   * route says otherwise (`onChange`).
   */
  reload(config?: ConfigInput): Promise<ReloadOutcome>;
  /** Who the process has become, as `user:group`; undefined: who it was. */
  readonly account: string | undefined;
  /** Every thread has answered since this was last asked; asks again. */
  askWhetherAlive(): boolean;
  /** Opens the access log's file anew, after a rotation. */
  reopenLog(): void;
  /**
   * Stops accepting, lets connections finish for `timeouts.drain`, cuts the rest, and flushes the log.
   * @param draining told how many connections are left, once nothing accepts any more.
   */
  stop(draining?: (connections: number) => void): Promise<void>;
  /** Cuts every connection now; a `stop` under way then ends. */
  cut(): void;
}

/** A configuration object has faults. */
export class InvalidConfigError extends Error {
  readonly errors: readonly ConfigError[];

  constructor(errors: readonly ConfigError[]) {
    super(errors.map(formatConfigError).join("\n"));
    this.name = "InvalidConfigError";
    this.errors = errors;
  }
}

/**
 * Starts a proxy from an object with the fields of `certless.yaml`.
 * @throws {InvalidConfigError | StartError | ListenError} as the rejection.
 */
export async function createProxy(config: ConfigInput, environment: ProxyEnvironment): Promise<RunningProxy> {
  const loaded = configFromObject(config, { toAscii: (name) => environment.host.domainToAscii(name) });
  if ("errors" in loaded) throw new InvalidConfigError(loaded.errors);
  return startProxy(loaded.config, undefined, environment);
}

/**
 * Starts a proxy from a checked configuration.
 * @param origin the files that `config` was read from; undefined: none, and only another object can be put in force.
 * @throws {StartError | ListenError} as the rejection.
 */
export async function startProxy(
  config: Config,
  origin: ConfigOrigin | undefined,
  environment: ProxyEnvironment,
): Promise<RunningProxy> {
  const { host } = environment;
  const proxy = await ProxyAtWork.start(config, origin, environment);
  return {
    workers: proxy.workers,
    account: proxy.account,
    askWhetherAlive: () => proxy.askWhetherAlive(),
    get endpoints() {
      return proxy.endpoints;
    },
    get openConnections() {
      return proxy.openConnections;
    },
    get counts() {
      return proxy.counts;
    },
    get metrics() {
      return proxy.metrics;
    },
    get upstreams() {
      return proxy.upstreams;
    },
    get config() {
      return proxy.config;
    },
    get admin() {
      return proxy.admin;
    },
    get configuration() {
      return proxy.configuration;
    },
    reload: (input) => (input === undefined ? proxy.reloadFile() : proxy.reload(async () => fromObject(input, host))),
    reopenLog: () => proxy.reopenLog(),
    cut: () => proxy.cut(),
    stop: (draining = () => {}) => proxy.stop(draining),
  };
}

function fromObject(object: ConfigInput, host: Host): Reread {
  const loaded = configFromObject(object, { toAscii: (name) => host.domainToAscii(name) });
  return loaded;
}
