/**
 * What carries the connections: this thread, or workers.
 *
 * Owns: the choice, and that both look the same to whoever runs a proxy.
 */

import type { Adapter } from "../adapter.ts";
import type { Endpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import { WorkerLimits } from "../limits/admission.ts";
import type { ConnectionCounts } from "../metrics/counts.ts";
import type { MetricsStore } from "../metrics/metrics_store.ts";
import { ThreadMetrics } from "../metrics/thread_metrics.ts";
import { openEndpoints } from "../proxy/open_endpoints.ts";
import { type Circumstances, ProxyServer } from "../proxy/proxy_server.ts";
import type { InheritedSockets } from "../service/inherited_sockets.ts";
import { tryEndpoints } from "../service/try_endpoints.ts";
import { type Allotments, ownBoard } from "../upstream/allotments.ts";
import type { PlaneCycle } from "../workers/control_parts.ts";
import { ControlPlane } from "../workers/control_plane.ts";
import type { ThreadState } from "../workers/control_worker.ts";
import { EndedConnections } from "../workers/ended_connections.ts";
import { inspect } from "../workers/inspection.ts";
import type { UpstreamPlaces } from "../workers/protocol.ts";
import type { Asked } from "../workers/questions.ts";
import type { Surrounded } from "../workers/surroundings.ts";
import type { AnswerTo } from "../workers/worker_question.ts";
import type { AccessLog } from "./access_log.ts";
import type { ProxyEnvironment } from "./environment.ts";
import type { NamesInForce } from "./names_in_force.ts";

export interface Plane extends Surrounded {
  /** Hands over what this thread has counted, if it carries connections. */
  tellMetrics?(): void;
  /** All numbers are counted from now on. */
  countAll(metrics: MetricsStore): void;
  readonly board: Allotments;
  readonly openConnections: number;
  readonly counts: { readonly snapshot: ConnectionCounts };
  readonly workers: number;
  readonly threads: readonly ThreadState[];
  /** Asks those who carry connections about them. */
  readonly ask: Asked;
  /** @throws {ListenError | Error} as the rejection. */
  start(): Promise<void>;
  /**
   * Puts another configuration in force; where that cannot be, the former one stays.
   * @param places the servers that DNS has named.
   * @throws {ListenError | Error} as the rejection.
   */
  reload(cycle: PlaneCycle, places: readonly UpstreamPlaces[]): Promise<void>;
  cut(): void;
  /** Every thread has answered since this was last asked; asks again. */
  askWhetherAlive(): boolean;
  stop(timeout: number, draining: (connections: number) => void): Promise<void>;
}

export interface PlaneParts {
  readonly cycle: PlaneCycle;
  readonly names: NamesInForce;
  /** Absent where only reason codes are counted. */
  readonly metrics?: MetricsStore | undefined;
  readonly log: AccessLog;
  readonly environment: ProxyEnvironment;
  readonly inherited: InheritedSockets | undefined;
  warn(message: string): void;
}

/** How many worker threads the configuration and the environment come to; 0: this thread carries the connections. */
export function workerCount(
  { workers }: Config,
  { adapter, workerAdapter, host }: ProxyEnvironment,
  warn: (message: string) => void,
): number {
  if (host.startWorker === undefined) return 0;
  const wanted = workers === "auto" ? host.parallelism : workers;
  if (workerAdapter !== undefined) return wanted;
  if (wanted > 1 && adapter.capabilities.reusePort) return wanted;
  if (wanted > 1 && workers !== "auto") {
    warn(`workers: ${workers} is not possible: the adapter ${adapter.name} cannot share a port here`);
  }
  return 0;
}

/** Milliseconds. */
const PORT_WAIT = 10;

/** @param workers as `workerCount` says. */
export function createPlane(parts: PlaneParts, workers: number): Plane {
  return workers === 0 ? new OwnThread(parts) : createWorkers(parts, workers);
}

/** This thread carries all connections. */
class OwnThread implements Plane {
  readonly workers = 1;
  readonly board: Allotments;
  readonly #server: ProxyServer;
  #metrics: ThreadMetrics | undefined;
  #store: MetricsStore | undefined;
  readonly #adapter: Adapter;
  readonly #inherited: InheritedSockets | undefined;
  /** Kept for whoever operates the proxy, if the configuration lets them ask. */
  readonly #ended = new EndedConnections();
  #cycle: PlaneCycle;

  constructor({ cycle, names, metrics, log, environment, inherited, warn }: PlaneParts) {
    const { adapter, host, finished } = environment;
    this.#adapter = adapter;
    this.#inherited = inherited;
    this.#cycle = cycle;
    this.board = ownBoard(cycle.config.upstreams, adapter.clock);
    if (metrics !== undefined) this.#metrics = this.#threadMetrics(metrics);
    this.#server = new ProxyServer(cycle.config, {
      ...circumstances(cycle),
      adapter,
      adopt: inherited?.share(0, 1),
      reusePort: adapter.capabilities.reusePort,
      board: this.board,
      metrics: this.#metrics,
      resolve: (name, answer) => void names.resolve(name).then(answer, answer),
      ownAddresses: host.interfaceAddresses(),
      finished: (record: ConnectionRecord) => {
        log.record(record);
        if (this.#cycle.config.admin !== undefined) this.#ended.add(record);
        finished?.(record);
      },
      warn,
    });
  }

  #threadMetrics(store: MetricsStore): ThreadMetrics {
    this.#store = store;
    return new ThreadMetrics({
      clock: this.#adapter.clock,
      connections: () => this.#server.connections,
      changed: () => this.tellMetrics(),
    });
  }

  countAll(store: MetricsStore): void {
    this.#metrics = this.#threadMetrics(store);
    this.#server.countAll(this.#metrics);
    this.#metrics.start();
  }

  tellMetrics(): void {
    const delta = this.#metrics?.take();
    if (delta !== undefined) this.#store?.merge(0, delta);
  }

  get counts(): ProxyServer["counts"] {
    return this.#server.counts;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#server.endpoints;
  }

  get openConnections(): number {
    return this.#server.openConnections;
  }

  get threads(): readonly ThreadState[] {
    return [{ worker: 1, open: this.openConnections, lostAt: undefined }];
  }

  readonly ask: Asked = async (question) => {
    const answer = inspect(this.#server, this.#ended, question) as AnswerTo<typeof question>;
    return [{ worker: 0, answer }];
  };

  async start(): Promise<void> {
    const wanted = this.#cycle.config.listeners.map(({ endpoint }) => endpoint);
    await this.#server.start(await this.#tried(wanted, this.#inherited));
    this.#metrics?.start();
  }

  /** Where ports are shared, a stranger's would be, too, unnoticed. */
  async #tried(endpoints: readonly Endpoint[], inherited?: InheritedSockets): Promise<readonly Endpoint[]> {
    const { capabilities, clock } = this.#adapter;
    if (!capabilities.reusePort || endpoints.length === 0) return endpoints;
    const tried = await tryEndpoints(this.#adapter, endpoints, inherited);
    // Deno gives a port back some turns after its listener was closed.
    await new Promise<void>((resolve) => void clock.after(PORT_WAIT, resolve));
    return tried;
  }

  async reload(cycle: PlaneCycle, places: readonly UpstreamPlaces[]): Promise<void> {
    const { listeners } = cycle.config;
    const open = openEndpoints(listeners, { listeners: this.#cycle.config.listeners, endpoints: this.endpoints });
    const missing = listeners.filter((_, index) => open[index] === undefined).map(({ endpoint }) => endpoint);
    const tried = [...(await this.#tried(missing))];
    const prepared = await this.#server.prepare(cycle.config, {
      ...circumstances(cycle),
      endpoints: open.map((endpoint) => endpoint ?? (tried.shift() as Endpoint)),
      allotments: this.board.allotments,
      places: new Map(places),
    });
    this.#server.reconfigure(prepared);
    this.#inherited?.keep(this.endpoints);
    this.#cycle = cycle;
    if (cycle.config.admin === undefined) this.#ended.clear();
  }

  setPlaces([upstream, places]: UpstreamPlaces): void {
    this.#server.upstreams.get(upstream)?.setMembers(places);
  }

  setOwnAddresses(addresses: readonly string[]): void {
    this.#server.setOwnAddresses(addresses);
  }

  /** Whoever asks is this thread. */
  askWhetherAlive(): boolean {
    return true;
  }

  cut(): void {
    this.#server.cut();
  }

  cutServer(slot: number): void {
    this.#server.cutServer(slot);
  }

  freed(upstream: number): void {
    this.#server.freed(upstream);
  }

  stop(timeout: number, draining: (connections: number) => void): Promise<void> {
    this.#inherited?.close();
    draining(this.#server.openConnections);
    return new Promise((drained) =>
      this.#server.drain(timeout, () => {
        this.tellMetrics();
        this.#metrics?.stop();
        drained();
      }),
    );
  }
}

function circumstances({ config, connectionLimit, limits, secrets }: PlaneCycle): Circumstances {
  return { connectionLimit, limits: limits && new WorkerLimits(config.limits, limits, 0), secrets };
}

function createWorkers({ cycle, names, metrics, log, environment, inherited, warn }: PlaneParts, count: number): Plane {
  const { adapter, host, workerAdapter = adapter, finished } = environment;
  return new ControlPlane({
    ...cycle,
    count,
    adapter,
    workerAdapter: workerAdapter.name,
    reusePort: workerAdapter.capabilities.reusePort,
    inherited,
    ownAddresses: host.interfaceAddresses(),
    startWorker: host.startWorker!,
    resolve: (name) => names.resolve(name),
    writeLog: (lines) => log.write(lines),
    warn,
    metrics,
    finished,
  });
}
