/**
 * A proxy at work: its parts put together, and another configuration put in force.
 *
 * Owns: the order in which parts start, change and stop. A reload tries whatever may fail before it changes anything.
 */

import type { Endpoint } from "../address.ts";
import type { ConfigurationState, ReloadOutcome } from "../admin/api.ts";
import { selfRouteWarnings } from "../config/check_servers.ts";
import type { Config } from "../config/config.ts";
import { namedServers } from "../config/named_servers.ts";
import type { UpstreamStatus } from "../health/status.ts";
import type { LimitsMemory } from "../limits/limits_memory.ts";
import type { ConnectionCounts } from "../metrics/counts.ts";
import type { MetricsStore } from "../metrics/metrics_store.ts";
import type { ProxyMetrics } from "../metrics/proxy_metrics.ts";
import { checkNames } from "../names/check_names.ts";
import { ListenError } from "../proxy/listen_error.ts";
import { loadSecrets } from "../secrets.ts";
import { InheritedSockets } from "../service/inherited_sockets.ts";
import { findPrivileges, giveUp } from "../service/privileges.ts";
import { StartError } from "../start_error.ts";
import { atMost } from "../workers/at_most.ts";
import { ConfigLoader } from "../workers/config_loader.ts";
import type { PlaneCycle } from "../workers/control_parts.ts";
import { Surroundings } from "../workers/surroundings.ts";
import { AccessLog } from "./access_log.ts";
import { checkAdapterOptions } from "./adapter_options.ts";
import { AdminInForce } from "./admin_in_force.ts";
import { type Changes, changesBetween } from "./changes.ts";
import { connectionLimit, limitsMemory } from "./connection_limit.ts";
import type { ProxyEnvironment } from "./environment.ts";
import { FileWatch } from "./file_watch.ts";
import { measure } from "./measured.ts";
import { NamesInForce } from "./names_in_force.ts";
import { operatedProxy } from "./operated.ts";
import { createPlane, type Plane, workerCount } from "./plane.ts";
import { outcomeOf, type Refusal, type Reread, refusal } from "./reload_outcome.ts";

/** Where a configuration was read from. */
export interface ConfigOrigin {
  readonly path: string;
  /** That file, and what it includes. */
  readonly files: readonly string[];
}

export class ProxyAtWork {
  readonly #environment: ProxyEnvironment;
  readonly #plane: Plane;
  readonly #names: NamesInForce;
  readonly #log: AccessLog;
  readonly #around: Surroundings;
  readonly #watch: FileWatch;
  readonly #loader: ConfigLoader;
  readonly #admin: AdminInForce;
  #config: Config;
  /** Whose change is a change of the configuration. */
  #files: readonly string[];
  #limits: LimitsMemory | undefined;
  #connectionLimit: number;
  #metrics: MetricsStore | undefined;
  #failedReloads = 0;
  #state: ConfigurationState;
  /** The reload under way, or the last one. */
  #reloading: Promise<unknown> = Promise.resolve();
  /** A reload of the file that has not begun yet. */
  #nextFile: Promise<ReloadOutcome> | undefined;
  #stopping = false;
  #account: string | undefined;

  private constructor(cycle: PlaneCycle, origin: ConfigOrigin | undefined, parts: Parts) {
    const { environment, names, log, inherited } = parts;
    const { adapter, host } = environment;
    this.#environment = environment;
    this.#config = cycle.config;
    this.#limits = cycle.limits;
    this.#names = names;
    this.#log = log;
    this.#connectionLimit = cycle.connectionLimit;
    if (environment.metrics === true || cycle.config.admin !== undefined) this.#metrics = this.#measure(log, names);
    const warn = (message: string): void => this.#warn(message);
    const count = workerCount(cycle.config, environment, warn);
    this.#plane = createPlane({ cycle, names, metrics: this.#metrics, log, environment, inherited, warn }, count);
    this.#around = new Surroundings({
      config: cycle.config,
      names,
      clock: adapter.clock,
      host,
      plane: this.#plane,
      checked: (upstream, server, isWell) => this.#metrics?.numbers.checked(upstream, server, isWell),
      warn,
    });
    this.#loader = new ConfigLoader({ clock: adapter.clock, host });
    const operated = operatedProxy({ proxy: this, plane: this.#plane, around: this.#around, log, environment });
    this.#admin = new AdminInForce({
      host,
      clock: adapter.clock,
      proxy: operated,
      joins: inherited?.join ?? false,
      alone: (task) => {
        this.#reloading = this.#reloading.then(task);
      },
      warn,
    });
    this.#watch = new FileWatch({
      clock: adapter.clock,
      paths: () => (origin?.path === STANDARD_INPUT ? [] : this.#files),
      stamp: (file) => host.fileStamp(file),
      changed: () => void this.reloadFile(),
    });
    this.#files = origin?.files ?? [];
    this.#state = { path: origin?.path, loadedAt: adapter.clock.wallTime(), reloads: 0, lastReload: undefined };
  }

  #measure(log: AccessLog, names: NamesInForce): MetricsStore {
    return measure({
      environment: this.#environment,
      names,
      log,
      plane: () => this.#plane,
      config: () => this.#config,
      connectionLimit: () => this.#connectionLimit,
      upstreams: () => this.#around.upstreams,
      configuration: () => this.#state,
      failedReloads: () => this.#failedReloads,
    });
  }

  /** @throws {StartError | ListenError} as the rejection. */
  static async start(
    config: Config,
    origin: ConfigOrigin | undefined,
    environment: ProxyEnvironment,
  ): Promise<ProxyAtWork> {
    const { adapter, workerAdapter = adapter, host } = environment;
    const warn = (message: string): void => warnOn(environment, message);
    checkAdapterOptions(config, workerAdapter);
    const privileges = await findPrivileges(config, host);
    const inherited = inheritSockets(config, environment);
    const secrets = await loadSecrets(config, host);
    const log = new AccessLog(host, warn);
    log.prepare(config.log).use();
    const names = new NamesInForce(config.resolver, { host, clock: adapter.clock, warn });
    const limit = connectionLimit(config, host, warn);
    const workers = Math.max(
      1,
      workerCount(config, environment, () => {}),
    );
    const limits = limitsMemory(config, host, limit, workers);
    const cycle = { config, connectionLimit: limit, limits, secrets };
    const proxy = new ProxyAtWork(cycle, origin, { environment, names, log, inherited });
    try {
      // Together: routes that need no name are served meanwhile, should DNS be slow.
      await Promise.all([proxy.#plane.start(), proxy.#around.start()]);
      (await proxy.#admin.prepare(config.admin)).use();
      if (privileges !== undefined) await giveUp(privileges, config, proxy.endpoints);
      proxy.#account = privileges?.account.text;
    } catch (error) {
      await proxy.#plane.stop(0, () => {});
      proxy.#around.stop();
      names.close();
      await log.close();
      throw error;
    }
    proxy.#around.startChecks();
    proxy.#metrics?.start();
    proxy.#watch.isOn = config.watch;
    void proxy.#warnOfServers();
    return proxy;
  }

  /** Who the process has become; undefined: who it was. */
  get account(): string | undefined {
    return this.#account;
  }

  askWhetherAlive(): boolean {
    return this.#plane.askWhetherAlive();
  }

  get isStopping(): boolean {
    return this.#stopping;
  }

  get connectionLimit(): number {
    return this.#connectionLimit;
  }

  /** Where the admin interface listens, if it does. */
  get admin(): Endpoint | undefined {
    return this.#admin.endpoint;
  }

  get workers(): number {
    return this.#plane.workers;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#plane.endpoints;
  }

  get openConnections(): number {
    return this.#plane.openConnections;
  }

  get counts(): ConnectionCounts {
    return this.#plane.counts.snapshot;
  }

  get upstreams(): readonly UpstreamStatus[] {
    return this.#around.upstreams;
  }

  /** Undefined where only reason codes are counted. */
  get metrics(): ProxyMetrics | undefined {
    return this.#metrics;
  }

  get config(): Config {
    return this.#config;
  }

  get configuration(): ConfigurationState {
    return this.#state;
  }

  reopenLog(): void {
    this.#log.reopen();
  }

  /** Puts in force what `read` gives; one reload after another. Never rejects. */
  reload(read: () => Promise<Reread>): Promise<ReloadOutcome> {
    const next = this.#reloading.then(() => this.#reload(read));
    this.#reloading = next;
    return next;
  }

  /** The same with its file, read anew. Whoever asks before the reading has begun is given the same outcome. */
  reloadFile(): Promise<ReloadOutcome> {
    this.#nextFile ??= this.reload(() => {
      this.#nextFile = undefined;
      return this.#rereadFile();
    });
    return this.#nextFile;
  }

  async #reload(read: () => Promise<Reread>): Promise<ReloadOutcome> {
    const { clock } = this.#environment.adapter;
    const began = clock.now();
    const warnings: string[] = [];
    const outcome = await this.#tryReload(read, warnings);
    const result = outcomeOf(outcome, warnings, began, clock);
    if (!result.ok) this.#failedReloads++;
    const { loadedAt, reloads } = this.#state;
    const counted = !result.ok ? { loadedAt, reloads } : { loadedAt: result.at, reloads: reloads + 1 };
    this.#state = { ...this.#state, ...counted, lastReload: result };
    this.#environment.reloaded?.(result);
    return result;
  }

  async #tryReload(read: () => Promise<Reread>, warnings: string[]): Promise<Changes | Refusal> {
    try {
      if (this.#stopping) return refusal("Cannot reload: the proxy is stopping");
      this.#watch.settled();
      const reread = await read();
      if ("errors" in reread) return { errors: reread.errors, reason: "" };
      if ("reason" in reread) return refusal(reread.reason);
      return await this.#use(reread.config, warnings);
    } catch (error) {
      if (error instanceof StartError || error instanceof ListenError) return refusal(error.message);
      return refusal(`Cannot reload: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Whatever may fail comes first; then everything changes. */
  async #use(config: Config, warnings: string[]): Promise<Changes> {
    const { adapter, workerAdapter = adapter, host } = this.#environment;
    const former = this.#config;
    checkAdapterOptions(config, workerAdapter);
    const secrets = await loadSecrets(config, host);
    const log = this.#log.prepare(config.log);
    const admin = await this.#admin.prepare(config.admin).catch((error: unknown) => {
      log.release();
      throw error;
    });
    const board = this.#plane.board;
    board.allot(config.upstreams.values());
    try {
      const limit = connectionLimit(config, host, (message) => warnings.push(message));
      const limits = limitsMemory(config, host, limit, this.workers, this.#limits);
      const places = await this.#around.prepare(config);
      // Lines of connections that end from now on may be in the new form.
      await this.#plane.reload({ config, connectionLimit: limit, limits, secrets }, places);
      this.#limits = limits;
      this.#connectionLimit = limit;
    } catch (error) {
      admin.release();
      board.undo();
      this.#around.undo(former);
      log.release();
      throw error;
    }
    this.#config = config;
    this.#watch.isOn = config.watch;
    log.use();
    if (config.admin !== undefined) this.#countAll();
    admin.use();
    this.#names.use(config.resolver);
    this.#around.use(config);
    void this.#warnOfServers();
    return changesBetween(former, config);
  }

  /** What was begun goes on: a counter that is asked for again has not gone back. */
  #countAll(): void {
    if (this.#metrics !== undefined) return;
    this.#metrics = this.#measure(this.#log, this.#names);
    this.#plane.countAll(this.#metrics);
    this.#metrics.start();
  }

  async #rereadFile(): Promise<Reread> {
    const { path } = this.#state;
    if (path === undefined)
      return { reason: "Cannot reload: the configuration is in no file; give reload another one" };
    if (path === STANDARD_INPUT) {
      return { reason: "Cannot reload: the configuration came from standard input; use a file" };
    }
    const read = await this.#loader.load(path);
    if ("files" in read) this.#files = read.files;
    return read;
  }

  cut(): void {
    this.#plane.cut();
  }

  async stop(draining: (connections: number) => void): Promise<void> {
    this.#stopping = true;
    this.#watch.isOn = false;
    this.#loader.close();
    await atMost(this.#environment.adapter.clock, RELOAD_GRACE, this.#reloading);
    await this.#plane.stop(this.#config.timeouts.drain, draining);
    this.#metrics?.stop();
    this.#admin.close();
    this.#around.stop();
    this.#names.close();
    await this.#log.close();
  }

  /** Said, and no more: a machine may be up before its DNS is, and routes that need no name work without it. */
  async #warnOfServers(): Promise<void> {
    const own = this.#environment.host.interfaceAddresses();
    for (const message of selfRouteWarnings(this.#config, own)) this.#warn(message);
    for (const { message } of await checkNames(namedServers(this.#config), this.#names)) this.#warn(message);
  }

  #warn(message: string): void {
    warnOn(this.#environment, message);
  }
}

/** What a stop leaves a reload that is under way, ms: a worker that hangs takes no configuration. */
const RELOAD_GRACE = 5_000;

/** As a path. */
const STANDARD_INPUT = "-";

interface Parts {
  readonly inherited: InheritedSockets | undefined;
  readonly environment: ProxyEnvironment;
  readonly names: NamesInForce;
  readonly log: AccessLog;
}

/** @throws {StartError} where there are sockets that cannot be used. */
function inheritSockets({ listeners }: Config, environment: ProxyEnvironment): InheritedSockets | undefined {
  const { inheritance, adapter, workerAdapter = adapter } = environment;
  return inheritance && new InheritedSockets(listeners, inheritance, workerAdapter);
}

function warnOn({ host }: ProxyEnvironment, message: string): void {
  host.stderr.write(`certless: ${message}\n`);
}
