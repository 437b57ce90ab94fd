/**
 * The control plane: starts workers, answers what they ask, writes their log lines, replaces those that end.
 *
 * Owns: the workers' lives. Names, log and warnings are given to it. It must not touch a connection.
 */

import type { Adapter } from "../adapter.ts";
import type { Endpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import type { Secrets } from "../config/secrets.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { IoError } from "../errors.ts";
import type { StartWorker, WorkerThread } from "../host.ts";
import { WorkerLimits } from "../limits/admission.ts";
import type { LimitsMemory } from "../limits/limits_memory.ts";
import { Counts } from "../metrics/counts.ts";
import { ListenError } from "../proxy/listen_error.ts";
import { Allotments } from "../upstream/allotments.ts";
import type { ConfigSource, FromWorker, StartMessage, ToWorker, UpstreamPlaces } from "./protocol.ts";

export interface ControlPlaneParts {
  readonly config: Config;
  readonly source: ConfigSource;
  /** How many workers. */
  readonly count: number;
  /** This thread's, for a first try at the ports and for its clock. */
  readonly adapter: Adapter;
  /** Name of the workers' own. */
  readonly workerAdapter: string;
  readonly ownAddresses: readonly string[];
  /** Open connections of all workers together. */
  readonly connectionLimit: number;
  /** What workers count clients in; undefined where nothing limits clients. */
  readonly limits: LimitsMemory | undefined;
  readonly secrets: Secrets;
  readonly startWorker: StartWorker;
  resolve(name: string): Promise<readonly string[]>;
  writeLog(lines: string): void;
  warn(message: string): void;
  /** Given each finished connection's record; absent where nobody wants them. */
  readonly finished: ((record: ConnectionRecord) => void) | undefined;
}

interface Worker {
  readonly index: number;
  thread: WorkerThread<ToWorker> | undefined;
  /** Its first start; nobody waits for a replacement's. */
  readonly firstStart: Deferred;
  hasServed: boolean;
  /** That it has said how much it has to drain, or is gone. */
  draining: Deferred;
  /** That it has drained, or is gone. */
  ended: Deferred;
  open: number;
  /** Starts in a row that did not last. */
  failures: number;
  startedAt: number;
}

/** A promise with its two ends. */
class Deferred {
  readonly promise: Promise<void>;
  resolve!: () => void;
  reject!: (reason: Error) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => {});
  }
}

/** Nobody need wait for it any more. */
function settle({ draining, ended }: Worker): void {
  draining.resolve();
  ended.resolve();
}

/** A replacement waits so long, doubled for each failure in a row (ms); a worker that lasted this long is healthy. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 10_000;
const HEALTHY_AFTER = 60_000;
/** What a worker gets beyond the drain before it is ended by force, ms. */
const GRACE = 5_000;

export class ControlPlane {
  readonly #parts: ControlPlaneParts;
  readonly #workers: Worker[];
  /** Connections that have ended, in all workers. */
  readonly counts = new Counts();
  /** What all workers count together. */
  readonly board: Allotments;
  /** What DNS has named so far. */
  readonly #places = new Map<string, UpstreamPlaces[1]>();
  #ownAddresses: readonly string[];
  #endpoints: readonly Endpoint[] = [];
  #stopping = false;

  constructor(parts: ControlPlaneParts) {
    this.#parts = parts;
    this.#ownAddresses = parts.ownAddresses;
    const { clock } = parts.adapter;
    this.board = new Allotments(parts.config.upstreams.values(), parts.count, clock);
    this.#workers = Array.from({ length: parts.count }, (_, index) => ({
      index,
      thread: undefined,
      firstStart: new Deferred(),
      hasServed: false,
      draining: new Deferred(),
      ended: new Deferred(),
      open: 0,
      failures: 0,
      startedAt: 0,
    }));
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  get workers(): number {
    return this.#workers.length;
  }

  get openConnections(): number {
    return this.#workers.reduce((sum, { open }) => sum + open, 0);
  }

  /** All workers serve when it resolves. @throws {ListenError | Error} as the rejection; then none is left. */
  async start(): Promise<void> {
    this.#endpoints = await this.#tryEndpoints();
    try {
      // The first one alone: it takes the `unix:` paths, and says what all of them would say.
      for (const worker of this.#workers) {
        this.#spawn(worker);
        await worker.firstStart.promise;
      }
    } catch (error) {
      this.#stopping = true;
      for (const { thread } of this.#workers) thread?.terminate();
      throw error;
    }
  }

  /**
   * Stops accepting and resolves when every connection has ended, at the latest `timeout` ms from now.
   * @param draining told how many are left, once no worker accepts any more.
   */
  async stop(timeout: number, draining: (connections: number) => void): Promise<void> {
    this.#stopping = true;
    for (const worker of this.#workers) {
      if (worker.thread === undefined) settle(worker);
      else worker.thread.post({ kind: "drain", timeout });
    }
    void Promise.all(this.#workers.map((worker) => worker.draining.promise)).then(() => draining(this.openConnections));
    const cancel = this.#parts.adapter.clock.after(timeout + GRACE, () => {
      for (const worker of this.#workers) settle(worker);
    });
    await Promise.all(this.#workers.map(({ ended }) => ended.promise));
    cancel();
    for (const { thread } of this.#workers) thread?.terminate();
  }

  /** An upstream's servers, as DNS names them now. */
  setPlaces(upstream: UpstreamPlaces): void {
    this.#places.set(...upstream);
    this.#tellAll({ kind: "places", upstream });
  }

  /** The addresses of this machine's interfaces have changed. */
  setOwnAddresses(addresses: readonly string[]): void {
    this.#ownAddresses = addresses;
    this.#tellAll({ kind: "own_addresses", addresses });
  }

  #tellAll(message: ToWorker): void {
    for (const { thread } of this.#workers) thread?.post(message);
  }

  cut(): void {
    for (const { thread } of this.#workers) thread?.post({ kind: "cut" });
  }

  /** Cuts the connections of an upstream's server. */
  cutServer(slot: number): void {
    this.#tellAll({ kind: "cut_server", slot });
  }

  /** An upstream may have room: tells the worker whose connection has waited longest for it. */
  freed(upstream: number): void {
    const worker = this.board.board.longestWaiting(upstream);
    if (worker >= 0) this.#workers[worker]?.thread?.post({ kind: "freed", upstream });
  }

  /**
   * Opens each port once and closes it again: finds the ports for 0, and a port that another program has, which
   * `SO_REUSEPORT` would let workers of one user share unnoticed.
   */
  async #tryEndpoints(): Promise<Endpoint[]> {
    const listeners: { readonly endpoint: Endpoint; close(): void }[] = [];
    try {
      for (const { endpoint } of this.#parts.config.listeners) {
        if (endpoint.kind === "unix") listeners.push({ endpoint, close() {} });
        else listeners.push(await this.#parts.adapter.listen(endpoint, (socket) => socket.destroy()));
      }
      return listeners.map(({ endpoint }) => endpoint);
    } catch (error) {
      throw new ListenError(this.#parts.config.listeners[listeners.length]!.endpoint, error as IoError);
    } finally {
      for (const listener of listeners) listener.close();
    }
  }

  #spawn(worker: Worker): void {
    worker.startedAt = this.#parts.adapter.clock.now();
    worker.draining = new Deferred();
    worker.ended = new Deferred();
    worker.thread = this.#parts.startWorker<ToWorker, FromWorker>({
      message: (message) => this.#receive(worker, message),
      exited: (reason) => this.#exited(worker, reason),
    });
    worker.thread.post(this.#startMessage(worker));
  }

  #startMessage({ index }: Worker): StartMessage {
    const { source, workerAdapter, count, connectionLimit, limits, secrets } = this.#parts;
    return {
      kind: "start",
      source,
      adapter: workerAdapter,
      endpoints: this.#endpoints.map((endpoint) => (endpoint.kind === "unix" && index > 0 ? null : endpoint)),
      reusePort: count > 1,
      ownAddresses: this.#ownAddresses,
      connectionLimit: Math.max(1, Math.floor((connectionLimit + count - 1 - index) / count)),
      worker: index,
      limits,
      secrets,
      numbering: { first: index + 1, step: count },
      board: this.board.memory,
      allotments: this.board.allotments,
      places: [...this.#places],
      records: this.#parts.finished !== undefined,
    };
  }

  #receive(worker: Worker, message: FromWorker): void {
    switch (message.kind) {
      case "started":
        worker.thread?.wakeBy(message.wakeDescriptor);
        worker.hasServed = true;
        // Those that DNS named while it was starting.
        for (const upstream of this.#places) worker.thread?.post({ kind: "places", upstream });
        worker.firstStart.resolve();
        return;
      case "failed":
        this.#failed(worker, message);
        return;
      case "resolve":
        this.#resolve(worker, message.id, message.name);
        return;
      case "log":
        this.#parts.writeLog(message.lines);
        return;
      case "records":
        for (const record of message.records) this.#parts.finished?.(record);
        return;
      case "counts":
        this.counts.merge(message.counts);
        return;
      case "freed":
        this.#workers[message.worker]?.thread?.post({ kind: "freed", upstream: message.upstream });
        return;
      case "warn":
        this.#parts.warn(message.message);
        return;
      case "open":
        worker.open = message.connections;
        return;
      case "draining":
        worker.open = message.connections;
        worker.draining.resolve();
        return;
      case "drained":
        settle(worker);
        return;
    }
  }

  #resolve(worker: Worker, id: number, name: string): void {
    const { thread } = worker;
    const answer = (answered: readonly string[] | IoError): void =>
      thread?.post({ kind: "resolved", id, answer: answered });
    this.#parts.resolve(name).then(answer, answer);
  }

  #failed(worker: Worker, { error, endpoint }: Extract<FromWorker, { kind: "failed" }>): void {
    const reason = endpoint === undefined ? new Error(error.message) : new ListenError(endpoint, error);
    worker.firstStart.reject(reason);
    worker.thread?.terminate();
    this.#exited(worker, reason.message);
  }

  #exited(worker: Worker, reason: string): void {
    if (worker.thread === undefined) return;
    worker.thread = undefined;
    worker.open = 0;
    this.#forget(worker);
    this.board.board.forget(worker.index);
    worker.firstStart.reject(new Error(`Cannot start a worker: ${reason}`));
    settle(worker);
    if (!this.#stopping && worker.hasServed) this.#replace(worker, reason);
  }

  /** Its connections are gone, and their clients may open others. */
  #forget({ index }: Worker): void {
    const { limits, config } = this.#parts;
    if (limits !== undefined) new WorkerLimits(config.limits, limits, index).forget(index);
  }

  #replace(worker: Worker, reason: string): void {
    const { clock } = this.#parts.adapter;
    worker.failures = clock.now() - worker.startedAt > HEALTHY_AFTER ? 1 : worker.failures + 1;
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (worker.failures - 1));
    this.#parts.warn(
      `worker ${worker.index + 1} ended (${reason}); its connections are lost, another starts in ${delay} ms`,
    );
    clock.after(delay, () => {
      if (!this.#stopping) this.#spawn(worker);
    });
  }
}
