/**
 * The numbers of all threads together.
 *
 * Owns: the sums since the start, what of it has a series of its own, and what each worker has open. A worker that dies
 * takes nothing of what it had told with it.
 */

import { isRejection } from "../remedy.ts";
import { BusiestNames } from "./busiest_names.ts";
import { CappedTable } from "./capped_table.ts";
import type { ListenerDelta, MetricsDelta, ServerDelta } from "./delta.ts";
import { Histogram, LAG_TIMES, SESSION_TIMES, SHORT_TIMES } from "./histogram.ts";
import type { Sums } from "./history.ts";
import { newListener, newServer, REASON_CODES } from "./tally.ts";
import { addTraffic, noTraffic, type Traffic } from "./traffic.ts";

/** Listeners, routes and servers that have series of their own, of each so many. */
export const MOST_SERIES = 1_000;
/** Of each so many are told apart for the admin interface. */
export const MOST_ROWS = 20_000;
/** Outcomes of connects that are told apart: the system's error codes, and a few words of our own. */
const MOST_OUTCOMES = 20;

/** An upstream's server. */
export interface ServerNumbers extends ServerDelta {
  checksOk: number;
  checksFailed: number;
}

/** What one worker has at the moment, and its loop. */
export interface WorkerNumbers {
  /** By listener. */
  readonly open: Map<string, number>;
  readonly lag: Histogram;
  /** Since it was last asked for, ms. */
  worstLag: number;
}

export class MergedNumbers {
  readonly listeners: CappedTable<ListenerDelta>;
  readonly routes: CappedTable<Traffic>;
  readonly servers: CappedTable<ServerNumbers>;
  readonly names = new BusiestNames();
  readonly preread = new Histogram(SHORT_TIMES);
  readonly connect = new Histogram(SHORT_TIMES);
  readonly session = new Histogram(SESSION_TIMES);
  /** By the worker's number, from 0. */
  readonly workers = new Map<number, WorkerNumbers>();
  /** By the reason's number. */
  readonly ended: number[] = new Array<number>(REASON_CODES.length).fill(0);
  #accepted = 0;
  #received = 0;
  #sent = 0;

  /** @param shown in place of `MOST_SERIES`. */
  constructor(shown: number = MOST_SERIES) {
    const bounds = { shown, most: Math.max(shown, MOST_ROWS) };
    this.listeners = new CappedTable({ ...bounds, make: () => newListener(0), add: addListener });
    this.routes = new CappedTable({ ...bounds, make: noTraffic, add: addTraffic });
    this.servers = new CappedTable({ ...bounds, make: newServerNumbers, add: addServer });
  }

  /** What a worker has counted since it last told. */
  merge(worker: number, delta: MetricsDelta): void {
    const own = this.worker(worker);
    for (const [address, listener] of delta.listeners) this.#mergeListener(own, address, listener);
    for (const [name, traffic] of delta.names) this.names.add(name, traffic);
    for (const [upstream, servers] of delta.servers) {
      for (const [server, counts] of servers) addCounts(this.servers.at(upstream, server), counts);
    }
    this.preread.merge(delta.preread);
    this.connect.merge(delta.connect);
    this.session.merge(delta.session);
    own.lag.merge(delta.lag);
    own.worstLag = Math.max(own.worstLag, delta.worstLag);
  }

  #mergeListener(own: WorkerNumbers, address: string, delta: ListenerDelta): void {
    own.open.set(address, delta.open);
    if (delta.open === 0) own.open.delete(address);
    const { routes, ...numbers } = delta;
    addListener(this.listeners.at(address), { ...numbers, open: 0, routes: NO_ROUTES });
    for (const [pattern, traffic] of routes) addTraffic(this.routes.at(address, pattern), traffic);
    for (const [reason, count] of delta.ended.entries()) this.ended[reason]! += count;
    this.#accepted += delta.accepted;
    this.#received += delta.received;
    this.#sent += delta.sent;
  }

  worker(index: number): WorkerNumbers {
    let worker = this.workers.get(index);
    if (worker === undefined) {
      worker = { open: new Map(), lag: new Histogram(LAG_TIMES), worstLag: 0 };
      this.workers.set(index, worker);
    }
    return worker;
  }

  /** A worker is gone, and its connections with it. */
  lost(worker: number): void {
    this.workers.get(worker)?.open.clear();
  }

  /** A check of an upstream's server has ended. */
  checked(upstream: string, server: string, isWell: boolean): void {
    const numbers = this.servers.at(upstream, server);
    if (isWell) numbers.checksOk++;
    else numbers.checksFailed++;
  }

  /** Connections of a listener that are open now, in all workers. */
  openOf(address: string): number {
    let open = 0;
    for (const worker of this.workers.values()) open += worker.open.get(address) ?? 0;
    return open;
  }

  /** Since the start. */
  get sums(): Sums {
    const rejected = this.ended.reduce(
      (sum, count, reason) => sum + (isRejection(REASON_CODES[reason]!) ? count : 0),
      0,
    );
    const { ended } = this;
    return { accepted: this.#accepted, received: this.#received, sent: this.#sent, rejected, ended: [...ended] };
  }
}

/** Connections of a worker. */
export function openIn(open: ReadonlyMap<string, number>): number {
  return [...open.values()].reduce((sum, some) => sum + some, 0);
}

const NO_ROUTES = new Map<string, Traffic>();

function addListener(sum: ListenerDelta, { accepted, open, ended, received, sent }: ListenerDelta): void {
  sum.accepted += accepted;
  sum.open += open;
  sum.received += received;
  sum.sent += sent;
  for (const [reason, count] of ended.entries()) sum.ended[reason]! += count;
}

function newServerNumbers(): ServerNumbers {
  return { ...newServer(), checksOk: 0, checksFailed: 0 };
}

function addCounts(sum: ServerDelta, { connections, failures, connects, connectTime }: ServerDelta): void {
  sum.connections += connections;
  sum.connects += connects;
  sum.connectTime += connectTime;
  for (const [outcome, count] of failures) {
    const isTold = sum.failures.has(outcome) || sum.failures.size < MOST_OUTCOMES;
    const key = isTold ? outcome : "other";
    sum.failures.set(key, (sum.failures.get(key) ?? 0) + count);
  }
}

function addServer(sum: ServerNumbers, numbers: ServerNumbers): void {
  addCounts(sum, numbers);
  sum.checksOk += numbers.checksOk;
  sum.checksFailed += numbers.checksFailed;
}
