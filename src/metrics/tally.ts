/**
 * What one thread counts of its connections.
 *
 * Owns: the numbers since it last told. It is called once when a connection comes and once when it has ended, and builds
 * no text. It must not read a clock.
 */

import type { ConnectionRecord } from "../connection_record.ts";
import { REASONS, type Reason } from "../reason.ts";
import { isRejection } from "../remedy.ts";
import type { ListenerDelta, MetricsDelta, ServerDelta } from "./delta.ts";
import { Histogram, LAG_TIMES, SESSION_TIMES, SHORT_TIMES } from "./histogram.ts";
import { type Traffic, trafficOf } from "./traffic.ts";

/** In the order in which threads tell them. */
export const REASON_CODES = Object.keys(REASONS) as readonly Reason[];

const NUMBER_OF = new Map(REASON_CODES.map((reason, index) => [reason, index]));
const REJECTS = new Map(REASON_CODES.map((reason) => [reason, isRejection(reason)]));

/** Bytes of one connection, in each direction. */
export interface Moved {
  received: number;
  sent: number;
}

export class Tally {
  readonly #listeners = new Map<string, ListenerDelta>();
  #names = new Map<string, Traffic>();
  #servers = new Map<string, Map<string, ServerDelta>>();
  #preread = new Histogram(SHORT_TIMES);
  #connect = new Histogram(SHORT_TIMES);
  #session = new Histogram(SESSION_TIMES);
  #lag = new Histogram(LAG_TIMES);
  #worstLag = 0;
  #hasNews = false;

  /** A listener, by its address, has a connection more. */
  accepted(address: string): void {
    const listener = this.#listener(address);
    listener.accepted++;
    listener.open++;
    this.#hasNews = true;
  }

  /**
   * A connection has ended.
   * @param prereadTime from accept to its route, ms; undefined where it did not get that far.
   * @param counted what `moved` was told of it.
   */
  ended(record: ConnectionRecord, prereadTime: number | undefined, counted: Readonly<Moved> | undefined): void {
    const { reason, route, serverName, connectTime } = record;
    const received = record.bytesReceived - (counted?.received ?? 0);
    const sent = record.bytesSent - (counted?.sent ?? 0);
    const listener = this.#listener(record.listener);
    const rejected = REJECTS.get(reason) === true ? 1 : 0;
    listener.open--;
    listener.ended[NUMBER_OF.get(reason)!]!++;
    listener.received += received;
    listener.sent += sent;
    if (route !== undefined) count(trafficOf(listener.routes, route), rejected, received, sent);
    if (serverName !== undefined) count(trafficOf(this.#names, serverName), rejected, received, sent);
    if (prereadTime !== undefined) this.#preread.observe(prereadTime);
    if (connectTime !== undefined) this.#connect.observe(connectTime);
    this.#session.observe(record.duration);
    this.#hasNews = true;
  }

  /** An open connection has moved bytes since it was last looked at. */
  moved({ listener: address, route, serverName }: ConnectionRecord, received: number, sent: number): void {
    const listener = this.#listener(address);
    listener.received += received;
    listener.sent += sent;
    if (route !== undefined) move(trafficOf(listener.routes, route), received, sent);
    if (serverName !== undefined) move(trafficOf(this.#names, serverName), received, sent);
    this.#hasNews = true;
  }

  /** The thread's loop came back so late, ms. */
  late(lag: number): void {
    this.#lag.observe(lag);
    this.#worstLag = Math.max(this.#worstLag, lag);
  }

  // --- of upstreams' servers ---

  /** A server has answered a connect after `time` ms. */
  serverConnected(upstream: string, server: string, time: number): void {
    const counts = this.#server(upstream, server);
    counts.connects++;
    counts.connectTime += time;
  }

  /** A server has a connection. */
  serverTook(upstream: string, server: string): void {
    this.#server(upstream, server).connections++;
  }

  /** A server could not be used. @param cause an error's code, or a fixed word. */
  serverFailed(upstream: string, server: string, cause: string): void {
    const { failures } = this.#server(upstream, server);
    failures.set(cause, (failures.get(cause) ?? 0) + 1);
  }

  /** There is more to tell than the loop's lag. */
  get hasNews(): boolean {
    return this.#hasNews;
  }

  /** All of it, and begins anew. */
  take(): MetricsDelta {
    const taken: MetricsDelta = {
      listeners: new Map(this.#listeners),
      names: this.#names,
      servers: this.#servers,
      preread: countsOf(this.#preread),
      connect: countsOf(this.#connect),
      session: countsOf(this.#session),
      lag: countsOf(this.#lag),
      worstLag: this.#worstLag,
    };
    // What is open stays; a listener that has none may be gone.
    for (const [address, { open }] of this.#listeners) {
      if (open === 0) this.#listeners.delete(address);
      else this.#listeners.set(address, newListener(open));
    }
    this.#names = new Map();
    this.#servers = new Map();
    this.#preread = new Histogram(SHORT_TIMES);
    this.#connect = new Histogram(SHORT_TIMES);
    this.#session = new Histogram(SESSION_TIMES);
    this.#lag = new Histogram(LAG_TIMES);
    this.#worstLag = 0;
    this.#hasNews = false;
    return taken;
  }

  #listener(address: string): ListenerDelta {
    let listener = this.#listeners.get(address);
    if (listener === undefined) {
      listener = newListener(0);
      this.#listeners.set(address, listener);
    }
    return listener;
  }

  #server(upstream: string, server: string): ServerDelta {
    this.#hasNews = true;
    let servers = this.#servers.get(upstream);
    if (servers === undefined) {
      servers = new Map();
      this.#servers.set(upstream, servers);
    }
    let counts = servers.get(server);
    if (counts === undefined) {
      counts = newServer();
      servers.set(server, counts);
    }
    return counts;
  }
}

export function newListener(open: number): ListenerDelta {
  const ended = new Array<number>(REASON_CODES.length).fill(0);
  return { accepted: 0, open, ended, received: 0, sent: 0, routes: new Map() };
}

export function newServer(): ServerDelta {
  return { connections: 0, failures: new Map(), connects: 0, connectTime: 0 };
}

function countsOf({ counts, sum }: Histogram): { counts: number[]; sum: number } {
  return { counts, sum };
}

function count(traffic: Traffic, rejected: number, received: number, sent: number): void {
  traffic.connections++;
  traffic.rejected += rejected;
  move(traffic, received, sent);
}

function move(traffic: Traffic, received: number, sent: number): void {
  traffic.received += received;
  traffic.sent += sent;
}
