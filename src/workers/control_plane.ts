/**
 * The control plane: starts workers, answers what they ask, writes their log lines, replaces those that end.
 *
 * Owns: the workers' lives. Names, log and warnings are given to it. It must not touch a connection.
 */

import type { Endpoint } from "../address.ts";
import type { IoError } from "../errors.ts";
import type { WorkerThread } from "../host.ts";
import { WorkerLimits } from "../limits/admission.ts";
import { createOpenMemory, OpenCount, type OpenMemory } from "../limits/open_count.ts";
import { Counts } from "../metrics/counts.ts";
import { ListenError } from "../proxy/listen_error.ts";
import { openEndpoints } from "../proxy/open_endpoints.ts";
import { tryEndpoints } from "../service/try_endpoints.ts";
import { Allotments } from "../upstream/allotments.ts";
import type { ControlPlaneParts, PlaneCycle } from "./control_parts.ts";
import { Deferred, newWorker, reasonOf, settle, type ThreadState, threadState, type Worker } from "./control_worker.ts";
import type { Cycle, FromWorker, StartMessage, ToWorker, UpstreamPlaces } from "./protocol.ts";
import { type Asked, Questions } from "./questions.ts";

/** A replacement waits so long, doubled for each failure in a row (ms); a worker that lasted this long is healthy. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 10_000;
const HEALTHY_AFTER = 60_000;
/** Looks for a port that was free before the worker is told that it is not, and milliseconds between two. */
const PORT_TRIES = 5;
const PORT_WAIT = 20;
/** Milliseconds for a worker to take another configuration. */
const PATIENCE = 30_000;
/** What a worker gets beyond the drain before it is ended by force, ms. */
const GRACE = 5_000;

export class ControlPlane {
  readonly #parts: ControlPlaneParts;
  readonly #workers: Worker[];
  /** Connections that have ended, in all workers. */
  readonly counts = new Counts();
  /** What all workers count together. */
  readonly board: Allotments;
  readonly #open: OpenMemory;
  /** What DNS has named so far. */
  readonly #places = new Map<string, UpstreamPlaces[1]>();
  #ownAddresses: readonly string[];
  #endpoints: readonly Endpoint[] = [];
  #cycle: PlaneCycle;
  readonly #questions = new Questions();
  /** Counts them. */
  #cycles = 0;
  #stopping = false;
  #pings = 0;
  #metrics: ControlPlaneParts["metrics"];

  constructor(parts: ControlPlaneParts) {
    this.#parts = parts;
    this.#cycle = parts;
    this.#metrics = parts.metrics;
    this.#ownAddresses = parts.ownAddresses;
    const { clock } = parts.adapter;
    this.board = new Allotments(parts.config.upstreams.values(), parts.count, clock);
    this.#open = createOpenMemory(parts.count);
    this.#workers = Array.from({ length: parts.count }, (_, index) => newWorker(index));
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  get workers(): number {
    return this.#workers.length;
  }

  get threads(): readonly ThreadState[] {
    return this.#workers.map(threadState);
  }

  get openConnections(): number {
    return this.#workers.reduce((sum, { open }) => sum + open, 0);
  }

  /** All workers serve when it resolves. @throws {ListenError | Error} as the rejection; then none is left. */
  async start(): Promise<void> {
    const { adapter, config, inherited } = this.#parts;
    const wanted = config.listeners.map(({ endpoint }) => endpoint);
    this.#endpoints = await tryEndpoints(adapter, wanted, inherited);
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
    this.#parts.inherited?.close();
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

  /**
   * Puts another configuration in force. The first worker tries it; where it cannot, the former one stays.
   * @param places the servers that DNS has named, of upstreams of both.
   * @throws {ListenError | Error} as the rejection.
   */
  async reload(cycle: PlaneCycle, places: readonly UpstreamPlaces[]): Promise<void> {
    const former = { cycle: this.#cycle, endpoints: this.#endpoints, places: [...this.#places] };
    const { listeners } = cycle.config;
    const open = openEndpoints(listeners, { listeners: former.cycle.config.listeners, endpoints: former.endpoints });
    const missing = listeners.filter((_, index) => open[index] === undefined).map(({ endpoint }) => endpoint);
    const opened = await tryEndpoints(this.#parts.adapter, missing);
    this.board.allot(cycle.config.upstreams.values());
    this.#setCycle(
      cycle,
      open.map((endpoint) => endpoint ?? (opened.shift() as Endpoint)),
      places,
    );
    // One that starts hears nothing yet (Deno drops what is posted then); it is told once it has started.
    const serving = this.#workers.filter(({ thread, answered }) => thread !== undefined && answered !== Infinity);
    const [first, ...others] = serving;
    try {
      if (first !== undefined) await this.#tellFirst(first);
    } catch (error) {
      this.board.undo();
      this.#setCycle(former.cycle, former.endpoints, former.places);
      throw error;
    }
    this.#parts.inherited?.keep(this.#endpoints);
    const told = await Promise.allSettled(others.map((worker) => this.#tellCycle(worker)));
    for (const [index, result] of told.entries()) {
      if (result.status === "fulfilled") continue;
      const { message } = result.reason as Error;
      this.#parts.warn(`worker ${(others[index] as Worker).index + 1} still has the former configuration: ${message}`);
    }
  }

  #setCycle(cycle: PlaneCycle, endpoints: readonly Endpoint[], places: readonly UpstreamPlaces[]): void {
    this.#cycle = cycle;
    this.#cycles++;
    this.#endpoints = endpoints;
    this.#places.clear();
    for (const [upstream, found] of places) this.#places.set(upstream, found);
  }

  /** A port that this thread has just tried may be the system's for a moment longer: Deno closes listeners later. */
  async #tellFirst(worker: Worker): Promise<void> {
    const { clock } = this.#parts.adapter;
    for (let left = PORT_TRIES; ; left--) {
      try {
        await this.#tellCycle(worker);
        return;
      } catch (error) {
        if (left === 0 || !(error instanceof ListenError) || error.code !== "EADDRINUSE") throw error;
      }
      await new Promise<void>((resolve) => void clock.after(PORT_WAIT, resolve));
    }
  }

  #tellCycle(worker: Worker): Promise<void> {
    worker.cycle = this.#cycles;
    worker.reloading = new Deferred();
    worker.thread?.post({ kind: "reload", ...this.#cycleFor(worker) });
    // One that hangs must not keep every later configuration from coming.
    const cancel = this.#parts.adapter.clock.after(PATIENCE, () => {
      worker.thread?.terminate();
      this.#exited(worker, `it did not take another configuration within ${PATIENCE / 1000} s`);
    });
    return worker.reloading.promise.finally(cancel);
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

  /** Every worker that there is has answered the last such question; asks the next one. One that starts anew is no hang. */
  askWhetherAlive(): boolean {
    const alive = this.#workers.every(({ thread, answered }) => thread === undefined || answered >= this.#pings);
    this.#pings++;
    this.#tellAll({ kind: "ping", number: this.#pings });
    return alive;
  }

  /** All numbers are counted from now on. */
  countAll(metrics: NonNullable<ControlPlaneParts["metrics"]>): void {
    this.#metrics = metrics;
    this.#tellAll({ kind: "count_all" });
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

  readonly ask: Asked = (question, only) => this.#questions.ask(this.#workers, question, only);

  /** An upstream may have room: tells the worker whose connection has waited longest for it. */
  freed(upstream: number): void {
    const worker = this.board.board.longestWaiting(upstream);
    if (worker >= 0) this.#workers[worker]?.thread?.post({ kind: "freed", upstream });
  }

  #spawn(worker: Worker): void {
    worker.startedAt = this.#parts.adapter.clock.now();
    worker.cycle = this.#cycles;
    worker.answered = Infinity;
    worker.draining = new Deferred();
    worker.ended = new Deferred();
    // A thread that was given up may still speak, and end, when another has taken its place.
    const thread: WorkerThread<ToWorker> = this.#parts.startWorker<ToWorker, FromWorker>({
      message: (message) => void (worker.thread === thread && this.#receive(worker, message)),
      exited: (reason) => void (worker.thread === thread && this.#exited(worker, reason)),
    });
    worker.thread = thread;
    thread.post(this.#startMessage(worker));
  }

  #startMessage(worker: Worker): StartMessage {
    const { workerAdapter, count } = this.#parts;
    return {
      kind: "start",
      open: this.#open,
      ...this.#cycleFor(worker),
      adapter: workerAdapter,
      reusePort: this.#parts.reusePort,
      adopt: this.#parts.inherited?.share(worker.index, count) ?? [],
      ownAddresses: this.#ownAddresses,
      worker: worker.index,
      numbering: { first: worker.index + 1, step: count },
      records: this.#parts.finished !== undefined,
      metrics: this.#metrics !== undefined,
    };
  }

  /** A path can be bound once only; a socket that is there already can be shared. */
  #isFor(endpoint: Endpoint, worker: number): boolean {
    return worker === 0 || endpoint.kind === "tcp" || (this.#parts.inherited?.has(endpoint) ?? false);
  }

  #cycleFor({ index }: Worker): Cycle {
    const { config, connectionLimit, limits, secrets } = this.#cycle;
    return {
      config,
      endpoints: this.#endpoints.map((endpoint) => (this.#isFor(endpoint, index) ? endpoint : null)),
      connectionLimit,
      limits,
      secrets,
      board: this.board.memory,
      allotments: this.board.allotments,
      places: [...this.#places],
    };
  }

  #receive(worker: Worker, message: FromWorker): void {
    switch (message.kind) {
      case "started":
        worker.thread?.wakeBy(message.wakeDescriptor);
        worker.hasServed = true;
        worker.answered = this.#pings;
        // Another configuration may have come into force while it was starting.
        if (worker.cycle !== this.#cycles) void this.#tellCycle(worker).catch(() => {});
        // Those that DNS named while it was starting.
        for (const upstream of this.#places) worker.thread?.post({ kind: "places", upstream });
        worker.firstStart.resolve();
        return;
      case "failed":
        this.#failed(worker, message);
        return;
      case "reloaded":
        worker.reloading?.resolve();
        return;
      case "reload_failed":
        worker.reloading?.reject(reasonOf(message));
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
      case "metrics":
        this.#metrics?.merge(worker.index, message.delta);
        return;
      case "pong":
        worker.answered = message.number;
        return;
      case "freed":
        this.#workers[message.worker]?.thread?.post({ kind: "freed", upstream: message.upstream });
        return;
      case "room":
        this.#tellAll(message);
        return;
      case "warn":
        this.#parts.warn(message.message);
        return;
      case "answer":
        this.#questions.answered(message.id, message.answer);
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

  #failed(worker: Worker, message: Extract<FromWorker, { kind: "failed" }>): void {
    const reason = reasonOf(message);
    worker.firstStart.reject(reason);
    worker.thread?.terminate();
    this.#exited(worker, reason.message);
  }

  #exited(worker: Worker, reason: string): void {
    if (worker.thread === undefined) return;
    worker.thread = undefined;
    worker.open = 0;
    this.#metrics?.lost(worker.index);
    this.#questions.gone(worker.index);
    this.#forget(worker);
    this.board.board.forget(worker.index);
    worker.firstStart.reject(new Error(`Cannot start a worker: ${reason}`));
    worker.reloading?.reject(new Error(`worker ${worker.index + 1} ended: ${reason}`));
    settle(worker);
    if (!this.#stopping && worker.hasServed) this.#replace(worker, reason);
  }

  /** Its connections are gone, and their clients may open others. */
  #forget({ index }: Worker): void {
    const { limits, config } = this.#cycle;
    if (limits) new WorkerLimits(config.limits, limits, index).forget(index);
    new OpenCount(this.#open, index).forget();
    this.#tellAll({ kind: "room" });
  }

  #replace(worker: Worker, reason: string): void {
    const { clock } = this.#parts.adapter;
    worker.lostAt = clock.wallTime();
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
