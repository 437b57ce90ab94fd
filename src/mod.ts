/**
 * The library: a running proxy from a configuration.
 *
 * Owns: putting the parts together (adapter, resolver, log, limits). The command line uses it as any program would.
 */

import type { Adapter } from "./adapter.ts";
import { type Endpoint, formatEndpoint } from "./address.ts";
import type { Config } from "./config/config.ts";
import { type ConfigError, configFromObject, formatConfigError } from "./config/load.ts";
import { namedServers } from "./config/named_servers.ts";
import type { ConfigInput } from "./config/schema.ts";
import type { Secrets } from "./config/secrets.ts";
import type { ConnectionRecord } from "./connection_record.ts";
import type { IoError } from "./errors.ts";
import type { UpstreamStatus } from "./health/status.ts";
import type { Host, LogSink } from "./host.ts";
import { limitsNeeded, WorkerLimits } from "./limits/admission.ts";
import { createLimitsMemory, type LimitsMemory } from "./limits/limits_memory.ts";
import { compileLineFormat } from "./log/access_log.ts";
import type { ConnectionCounts } from "./metrics/counts.ts";
import { checkNames } from "./names/check_names.ts";
import { NameCache } from "./names/name_cache.ts";
import { ProxyServer } from "./proxy/proxy_server.ts";
import { loadSecrets } from "./secrets.ts";
import { StartError } from "./start_error.ts";
import { ownBoard } from "./upstream/allotments.ts";
import { ControlPlane } from "./workers/control_plane.ts";
import type { ConfigSource } from "./workers/protocol.ts";
import { type Surrounded, Surroundings } from "./workers/surroundings.ts";

export type { CertificateStatus, ServerStatus, UpstreamStatus } from "./health/status.ts";
export { ListenError } from "./proxy/listen_error.ts";
export type { Adapter, Config, ConfigError, ConfigInput, ConnectionCounts, ConnectionRecord, Endpoint, Host };
export { formatEndpoint, StartError };

/** An adapter that this thread cannot use itself, but workers can. */
export type WorkerAdapter = Pick<Adapter, "name" | "capabilities">;

/** What a proxy runs on. */
export interface ProxyEnvironment {
  readonly adapter: Adapter;
  /** An adapter that needs a thread of its own: then all connections are carried by workers. */
  readonly workerAdapter?: WorkerAdapter | undefined;
  readonly host: Host;
  /** Called once for each connection when it has ended, beside the access log. */
  readonly finished?: (record: ConnectionRecord) => void;
}

/** A running proxy. */
export interface RunningProxy {
  /** Where it listens, in the order of the configuration, with the ports that were given for 0. */
  readonly endpoints: readonly Endpoint[];
  readonly openConnections: number;
  /** Connections that have ended since the start, by reason code; workers tell theirs within 50 ms. */
  readonly counts: ConnectionCounts;
  /** Threads that carry connections; 1 may be the caller's own. */
  readonly workers: number;
  /** Each upstream's servers, how their checks find them, and their certificates. */
  readonly upstreams: readonly UpstreamStatus[];
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
  return startProxy(loaded.config, { object: config }, environment);
}

/**
 * Starts a proxy from a checked configuration.
 * @param source what `config` was read from: worker threads read it again.
 * @throws {StartError | ListenError} as the rejection.
 */
export async function startProxy(
  config: Config,
  source: ConfigSource,
  environment: ProxyEnvironment,
): Promise<RunningProxy> {
  const { adapter, host } = environment;
  checkTcpOptions(config, environment);
  const secrets = await loadSecrets(config, host);
  const resolver = host.createResolver(config.resolver);
  const names = new NameCache({
    resolver,
    clock: adapter.clock,
    times: config.resolver,
    warn: (message) => warn(host, message),
  });
  let log: LogSink | undefined;
  let surroundings: Surroundings | undefined;
  try {
    log = openLog(config, host);
    const services = { config, names, log, secrets, environment };
    const count = workerCount(config, environment);
    const plane = count === 0 ? createHere(services) : createWorkers(services, source, count);
    surroundings = new Surroundings({
      config,
      names,
      clock: adapter.clock,
      host,
      plane,
      warn: (message) => warn(host, message),
    });
    // Together: routes that need no name are served meanwhile, should DNS be slow.
    await Promise.all([plane.start(), surroundings.start()]);
    surroundings.startChecks();
    void warnOfNames(services);
    const around = surroundings;
    const ended = (): void => {
      around.stop();
      resolver.close();
    };
    return running(plane, around, services, ended);
  } catch (error) {
    surroundings?.stop();
    resolver.close();
    await log?.close();
    throw error;
  }
}

/** What carries the connections: this thread, or workers. */
interface Plane extends Surrounded {
  readonly openConnections: number;
  readonly counts: { readonly snapshot: ConnectionCounts };
  readonly workers: number;
  /** @throws {ListenError | Error} as the rejection. */
  start(): Promise<void>;
  cut(): void;
  stop(timeout: number, draining: (connections: number) => void): Promise<void>;
}

interface Services {
  readonly config: Config;
  readonly names: NameCache;
  readonly log: LogSink | undefined;
  readonly secrets: Secrets;
  readonly environment: ProxyEnvironment;
}

/** How many worker threads the configuration and the environment come to; 0: this thread carries the connections. */
function workerCount({ workers }: Config, { adapter, workerAdapter, host }: ProxyEnvironment): number {
  if (host.startWorker === undefined) return 0;
  const wanted = workers === "auto" ? host.parallelism : workers;
  if (workerAdapter !== undefined) return wanted;
  if (wanted > 1 && adapter.capabilities.reusePort) return wanted;
  if (wanted > 1 && workers !== "auto") {
    warn(host, `workers: ${workers} is not possible: the adapter ${adapter.name} cannot share a port here`);
  }
  return 0;
}

function warn(host: Host, message: string): void {
  host.stderr.write(`certless: ${message}\n`);
}

function createHere({ config, names, log, secrets, environment }: Services): Plane {
  const { adapter, host, finished } = environment;
  const write = recordWriter(config, log);
  const limit = connectionLimit(config, host);
  const memory = limitsMemory(config, host, limit, 1);
  const board = ownBoard(config.upstreams, adapter.clock);
  const server = new ProxyServer(config, {
    adapter,
    board,
    resolve: (name, answer) => void names.resolve(name).then(answer, answer),
    ownAddresses: host.interfaceAddresses(),
    connectionLimit: limit,
    limits: memory && new WorkerLimits(config.limits, memory, 0),
    secrets,
    finished: (record) => {
      write(record);
      finished?.(record);
    },
    warn: (message) => warn(host, message),
  });
  return {
    workers: 1,
    counts: server.counts,
    board,
    get endpoints() {
      return server.endpoints;
    },
    get openConnections() {
      return server.openConnections;
    },
    start: () => server.start(),
    setPlaces: ([upstream, places]) => server.upstreams.get(upstream)?.setMembers(places),
    setOwnAddresses: (addresses) => server.setOwnAddresses(addresses),
    cut: () => server.cut(),
    cutServer: (slot) => server.cutServer(slot),
    freed: (upstream) => server.freed(upstream),
    stop(timeout, draining) {
      draining(server.openConnections);
      return new Promise((drained) => server.drain(timeout, drained));
    },
  };
}

function createWorkers(services: Services, source: ConfigSource, count: number): Plane {
  const { config, names, log, secrets, environment } = services;
  const { adapter, host, workerAdapter = adapter, finished } = environment;
  const limit = connectionLimit(config, host);
  return new ControlPlane({
    config,
    source,
    count,
    adapter,
    workerAdapter: workerAdapter.name,
    ownAddresses: host.interfaceAddresses(),
    connectionLimit: limit,
    limits: limitsMemory(config, host, limit, count),
    secrets,
    startWorker: host.startWorker!,
    resolve: (name) => names.resolve(name),
    writeLog: (lines) => log?.write(lines),
    warn: (message) => warn(host, message),
    finished,
  });
}

/** What clients are counted in, where anything is. */
function limitsMemory(config: Config, host: Host, connectionLimit: number, workers: number): LimitsMemory | undefined {
  const { any, clients } = limitsNeeded(config.limits);
  if (!any) return undefined;
  return createLimitsMemory({ workers, connectionLimit, perClient: clients, random: () => host.random() });
}

function running(plane: Plane, around: Surroundings, { config, log }: Services, ended: () => void): RunningProxy {
  return {
    workers: plane.workers,
    get endpoints() {
      return plane.endpoints;
    },
    get openConnections() {
      return plane.openConnections;
    },
    get counts() {
      return plane.counts.snapshot;
    },
    get upstreams() {
      return around.upstreams;
    },
    reopenLog: () => log?.reopen(),
    cut: () => plane.cut(),
    async stop(draining = () => {}) {
      await plane.stop(config.timeouts.drain, draining);
      ended();
      await log?.close();
    },
  };
}

/** Options of `tcp` that the adapter cannot carry out are refused, not forgotten. */
function checkTcpOptions(config: Config, { adapter, workerAdapter = adapter }: ProxyEnvironment): void {
  const { tcp } = config;
  const { name, capabilities } = workerAdapter;
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
  const routes = tables.flatMap(({ patterns }) => patterns.filter(({ bind }) => bind !== undefined));
  return [...upstreams.map(([name]) => `upstreams.${name}.bind`), ...routes.map(({ text }) => `routes.${text}.bind`)];
}

/** Said, and no more: a machine may be up before its DNS is, and routes that need no name work without it. */
async function warnOfNames({ config, names, environment }: Services): Promise<void> {
  for (const { message } of await checkNames(namedServers(config), names)) warn(environment.host, message);
}

function openLog(config: Config, host: Host): LogSink | undefined {
  if (config.log.access === undefined) return undefined;
  const { path } = config.log.access;
  try {
    return host.openLog(path, (message) => warn(host, message));
  } catch (error) {
    const { code, message } = error as IoError;
    throw new StartError(`Cannot open the access log ${path}: ${message || code}`);
  }
}

function recordWriter(config: Config, log: LogSink | undefined): (record: ConnectionRecord) => void {
  if (log === undefined || config.log.access === undefined) return () => {};
  const format = compileLineFormat(config.log.access.format);
  return (record) => log.write(format(record));
}

/** Descriptors kept for everything but connections: runtime, log, listeners, resolver. */
const RESERVED_DESCRIPTORS = 128;
const DEFAULT_CONNECTIONS = 10_000;

/** Fewer connections than this by the descriptor limit are worth a word. */
const FEW_CONNECTIONS = 500;

/** A connection takes two descriptors, the client's and the server's. */
function connectionLimit(config: Config, host: Host): number {
  const descriptors = host.descriptorLimit();
  const asked = config.limits.connections;
  if (asked !== "auto") {
    const needed = 2 * asked + RESERVED_DESCRIPTORS;
    if (descriptors !== undefined && needed > descriptors) {
      const remedy = "raise it, or leave limits.connections at auto";
      warn(
        host,
        `limits.connections: ${asked} needs ${needed} descriptors, and the limit is ${descriptors}; ${remedy}`,
      );
    }
    return asked;
  }
  if (descriptors === undefined) return DEFAULT_CONNECTIONS;
  const limit = Math.max(1, Math.floor((descriptors - RESERVED_DESCRIPTORS) / 2));
  if (limit < FEW_CONNECTIONS) {
    const remedy = "raise it with ulimit -n, or LimitNOFILE= in the systemd unit";
    warn(host, `the limit of ${descriptors} descriptors allows ${limit} connections at once; ${remedy}`);
  }
  return limit;
}
