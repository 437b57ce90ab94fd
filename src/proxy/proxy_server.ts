/**
 * The proxy: accepts connections and drives their sessions.
 *
 * Owns: the set of open connections, their one timer, and that a configuration is in force as
 * a whole. It must not parse, route or pump: sessions and the adapter do.
 */

import type { Adapter, ConnectOptions, Socket } from "../adapter.ts";
import type { Endpoint } from "../address.ts";
import type { Config, RouteTable } from "../config/config.ts";
import type { Secrets } from "../config/secrets.ts";
import { type ConnectionRecord, newRecord } from "../connection_record.ts";
import { Deadlines } from "../deadlines.ts";
import type { WorkerLimits } from "../limits/admission.ts";
import { createOpenMemory, OpenCount } from "../limits/open_count.ts";
import { Counts } from "../metrics/counts.ts";
import type { ThreadMetrics } from "../metrics/thread_metrics.ts";
import { PrereadBudget } from "../session/preread_buffer.ts";
import { Session } from "../session/session.ts";
import { AddressMemory } from "../upstream/address_memory.ts";
import { type AllotmentMap, type OpenBoard, ownBoard } from "../upstream/allotments.ts";
import { DirectPolicy } from "../upstream/direct_policy.ts";
import { createRandom } from "../upstream/random.ts";
import { createUpstreams, type MemberPlace, type Upstream, type UpstreamParts } from "../upstream/upstream.ts";
import type { PassOn } from "../upstream/waiting_line.ts";
import { Connection, type ConnectionOwner, type Resolve } from "./connection.ts";
import { Door } from "./door.ts";
import { SettingsMaker } from "./listener_settings.ts";
import { type Adoptable, Listeners, type PreparedListeners, type ServingListener, type Wanted } from "./listeners.ts";
import { RouteChanges } from "./route_changes.ts";

/** What goes with a configuration, and changes with it. */
export interface Circumstances {
  /** Open connections at most, of all workers together. */
  readonly connectionLimit: number;
  /** What clients may take up; absent where only `connectionLimit` counts. */
  readonly limits?: WorkerLimits | undefined;
  /** Passwords of the proxies that `via` names; none if absent. */
  readonly secrets?: Secrets;
  /** Where to listen in place of the configured addresses, in their order; null: not here. */
  readonly endpoints?: readonly (Endpoint | null)[];
}

/** What goes with a configuration that comes later. */
export interface Changed extends Circumstances {
  readonly allotments: AllotmentMap;
  /** The servers at work of upstreams whose servers DNS has named. */
  readonly places: ReadonlyMap<string, readonly MemberPlace[]>;
}

/** What a proxy is made of besides its configuration. */
export interface ProxyParts extends Circumstances {
  readonly adapter: Adapter;
  /** Addresses of a name. */
  readonly resolve: Resolve;
  /** Canonical addresses of this machine, which `direct` never leads back to. */
  readonly ownAddresses: readonly string[];
  /** Open connections of all workers; absent: this is the only one. */
  readonly open?: OpenCount;
  /** Tells other workers that there is room again. */
  readonly tellRoom?: () => void;
  /** The first connection's number and how far it is from one to the next, where several workers count. */
  readonly numbering?: Numbering;
  /** Sockets that listen already, by address: accepted from in place of opening one. */
  readonly adopt?: Adoptable | undefined;
  /** Others listen on the same ports. */
  readonly reusePort?: boolean;
  /** What is counted of upstreams' servers over all threads; absent: this is the only one. */
  readonly board?: OpenBoard;
  /** Tells another worker that a connection of its own is next in an upstream's line. */
  readonly passOn?: PassOn;
  /** What is counted of connections beyond `counts`; absent: nothing. */
  readonly metrics?: ThreadMetrics | undefined;
  /** Called for each connection when it is accepted. */
  accepted?(): void;
  /** Called once for each connection, when its record is complete. */
  finished?(record: ConnectionRecord): void;
  /** Told of conditions that an operator should know, one line each. */
  warn?(message: string): void;
}

export interface Numbering {
  readonly first: number;
  readonly step: number;
}

/** A configuration that could be put in force: its listeners are open. */
export interface Prepared {
  readonly config: Config;
  readonly changed: Changed;
  readonly listeners: PreparedListeners;
}

export class ProxyServer implements ConnectionOwner {
  readonly adapter: Adapter;
  readonly resolve: Resolve;
  /** Connections that have ended. */
  readonly counts = new Counts();
  readonly #parts: ProxyParts;
  readonly #listeners: Listeners;
  readonly #upstreamParts: UpstreamParts & { observer?: UpstreamParts["observer"] };
  #metrics: ThreadMetrics | undefined;
  readonly #changes: RouteChanges<Connection>;
  readonly #addresses = new AddressMemory();
  readonly #budget: PrereadBudget;
  #config: Config;
  #upstreams: ReadonlyMap<string, Upstream>;
  #ownAddresses: readonly string[];
  #directPolicy: DirectPolicy | undefined;
  readonly #connections = new Set<Connection>();
  readonly #deadlines = new Deadlines<Connection>();
  #wakeAt = Infinity;
  #cancelWake: () => void = () => {};
  /** Of the next connection. */
  #number: number;
  readonly #numberStep: number;
  readonly #door: Door;
  /** Called when the last connection has gone. */
  #drained: (() => void)[] = [];

  constructor(config: Config, parts: ProxyParts) {
    this.adapter = parts.adapter;
    this.resolve = parts.resolve;
    this.#config = config;
    this.#parts = parts;
    this.#number = parts.numbering?.first ?? 1;
    this.#numberStep = parts.numbering?.step ?? 1;
    this.#ownAddresses = parts.ownAddresses;
    this.#budget = new PrereadBudget(config.limits.prereadTotal);
    const { clock } = parts.adapter;
    const warn = (message: string): void => parts.warn?.(message);
    const { board, allotments } = parts.board ?? ownBoard(config.upstreams, clock);
    const random = createRandom(clock.wallTime() + 1000 * clock.now());
    this.#metrics = parts.metrics;
    this.#upstreamParts = { board, random, tell: warn, passOn: parts.passOn, observer: parts.metrics?.tally };
    this.#upstreams = createUpstreams(config.upstreams, allotments, this.#upstreamParts);
    this.#listeners = new Listeners({
      adapter: parts.adapter,
      reusePort: parts.reusePort ?? false,
      adopt: parts.adopt ?? [],
      accepted: (open, socket) => this.#accepted(open, socket),
      warn,
    });
    const count = parts.open ?? new OpenCount(createOpenMemory(1), 0);
    const tellRoom = (): void => parts.tellRoom?.();
    const { adapter, connectionLimit } = parts;
    this.#door = new Door({ adapter, count, listeners: this.#listeners, tellRoom, warn }, connectionLimit);
    this.#changes = new RouteChanges({
      clock,
      connections: () => this.#connections,
      has: (connection) => this.#connections.has(connection),
      settingsOf: (listener) => this.#listeners.settingsOf(listener),
      cut: (connection) => connection.abort("route_changed"),
    });
  }

  /** Those of the configuration in force, at work. */
  get upstreams(): ReadonlyMap<string, Upstream> {
    return this.#upstreams;
  }

  get connectOptions(): ConnectOptions {
    return this.#config.tcp;
  }

  /** Opens every listener, or none; at `endpoints`, where they are given. @throws {ListenError} as the rejection. */
  async start(endpoints = this.#parts.endpoints): Promise<void> {
    const prepared = await this.#listeners.prepare(this.#wanted(this.#config, endpoints));
    this.#serve(prepared, this.#parts);
  }

  /** Opens what another configuration needs besides, and changes nothing yet. @throws {ListenError} as the rejection. */
  async prepare(config: Config, changed: Changed): Promise<Prepared> {
    return { config, changed, listeners: await this.#listeners.prepare(this.#wanted(config, changed.endpoints)) };
  }

  /** Puts a configuration in force, at once and as a whole. Open connections go on, but where `onChange` says otherwise. */
  reconfigure({ config, changed, listeners }: Prepared): void {
    const swap = (): void => {
      this.#config = config;
      this.#upstreams = createUpstreams(config.upstreams, changed.allotments, this.#upstreamParts, {
        upstreams: this.#upstreams,
        places: changed.places,
      });
      this.#budget.limit = config.limits.prereadTotal;
      this.#serve(listeners, changed);
    };
    // Nobody has to be asked about where every route keeps its connections.
    if (endsConnections(this.#config) || endsConnections(config)) this.#changes.around(swap);
    else swap();
  }

  #wanted(config: Config, endpoints: Circumstances["endpoints"]): Wanted[] {
    const { userTimeout } = config.tcp;
    return config.listeners.map((listener, index) => ({
      config: listener,
      endpoint: endpoints === undefined ? listener.endpoint : (endpoints[index] ?? null),
      userTimeout,
    }));
  }

  #serve(prepared: PreparedListeners, { limits, secrets, connectionLimit }: Circumstances): void {
    const endpoints = prepared.next.map(([{ listener }]) => listener.endpoint);
    this.#directPolicy = new DirectPolicy(endpoints, this.#ownAddresses, this.#config.selfAddresses);
    const maker = new SettingsMaker({
      config: this.#config,
      limits,
      secrets,
      directPolicy: this.#directPolicy,
      upstreams: this.#upstreams,
      addresses: this.#addresses,
      budget: this.#budget,
    });
    this.#listeners.replace(prepared, (config, own) => maker.make(config, own));
    this.#door.setLimit(connectionLimit);
  }

  /** The addresses of this machine's interfaces have changed. */
  setOwnAddresses(addresses: readonly string[]): void {
    this.#ownAddresses = addresses;
    this.#directPolicy?.setOwnAddresses(addresses);
  }

  /** Where it listens, in the order of the configuration, ports resolved. */
  get endpoints(): readonly Endpoint[] {
    return this.#listeners.endpoints;
  }

  /** Those that are open, the oldest first. */
  get connections(): Iterable<Connection> {
    return this.#connections;
  }

  /** Open connections, those that are closing included. */
  get openConnections(): number {
    return this.#connections.size;
  }

  /**
   * Stops accepting. Calls `drained` when no connection is left; after `timeout` ms the rest is cut. A second call
   * waits for the same end.
   */
  drain(timeout: number, drained: () => void): void {
    this.#listeners.close();
    this.#door.close();
    if (this.#connections.size === 0) {
      drained();
      return;
    }
    if (this.#drained.length === 0) {
      const cancel = this.adapter.clock.after(timeout, () => this.cut());
      this.#drained.push(cancel);
    }
    this.#drained.push(drained);
  }

  /** Another worker's connection has ended: there may be room for one here. */
  room(): void {
    this.#door.look();
  }

  /** A server of an upstream, by its group on the board, has room. */
  freed(group: number): void {
    for (const upstream of this.#upstreams.values()) if (upstream.index === group) upstream.freed();
  }

  /** Ends every connection now. */
  cut(): void {
    for (const connection of [...this.#connections]) connection.abort("drain_timeout");
  }

  /** Ends the connections that the server of this slot has. */
  cutServer(slot: number): void {
    for (const connection of [...this.#connections]) {
      if (connection.session.member?.slot === slot) connection.abort("server_down");
    }
  }

  #accepted(open: ServingListener, socket: Socket): void {
    const entry = this.#door.enter();
    if (entry === "waits") {
      this.#door.keep(socket, (later) => this.#accepted(open, later));
      return;
    }
    const now = this.adapter.clock.now();
    const { config, settings, text } = open;
    const wallTime = this.adapter.clock.wallTime();
    const record = newRecord(this.#number, wallTime, text, config.protocol, socket.remote, socket.local);
    this.#number += this.#numberStep;
    const connection = new Connection(this, socket, new Session(settings, record, now));
    this.#connections.add(connection);
    this.#metrics?.accepted(record);
    this.#parts.accepted?.();
    if (entry === "full") connection.abort("too_many_connections");
    else connection.start();
    this.#door.look();
  }

  /** From now on all numbers are counted; what is open counts as accepted now. */
  countAll(metrics: ThreadMetrics): void {
    this.#metrics = metrics;
    this.#upstreamParts.observer = metrics.tally;
    for (const { isOver, session } of this.#connections) if (!isOver) metrics.accepted(session.record);
  }

  // --- for connections ---

  /** Those who are turned away must not fill the house: beyond half the limit a reply is sent without waiting for its arrival. */
  get isCrowded(): boolean {
    return this.#door.isCrowded;
  }

  setDeadline(connection: Connection, at: number): void {
    this.#deadlines.set(connection, at);
    if (at < this.#wakeAt) this.#arm();
  }

  finished(connection: Connection): void {
    this.counts.add(connection.session.record);
    this.#metrics?.ended(connection);
    try {
      this.#parts.finished?.(connection.session.record);
    } catch (error) {
      this.#parts.warn?.(
        `Cannot hand over a finished connection: ${error instanceof Error ? error.stack : String(error)}`,
      );
    }
  }

  gone(connection: Connection): void {
    this.#connections.delete(connection);
    this.#door.leave();
    if (this.#connections.size > 0) return;
    // Nobody has a deadline any more: the timer of a past one must not keep the process alive.
    this.#arm();
    for (const drained of this.#drained.splice(0)) drained();
  }

  fault(error: unknown): void {
    this.#parts.warn?.(`internal error, one connection ended: ${error instanceof Error ? error.stack : String(error)}`);
  }

  // --- the one timer ---

  #arm(): void {
    const next = this.#deadlines.next();
    if (next === this.#wakeAt) return;
    this.#cancelWake();
    this.#wakeAt = next;
    if (next === Infinity) return;
    const { clock } = this.adapter;
    this.#cancelWake = clock.after(Math.max(0, next - clock.now()), () => this.#wake());
  }

  #wake(): void {
    this.#wakeAt = Infinity;
    this.#deadlines.expire(this.adapter.clock.now(), (connection) => connection.timedOut());
    this.#arm();
  }
}

/** Some route does not keep its connections when it goes. */
function endsConnections({ routes, listeners }: Config): boolean {
  const ends = (table: RouteTable): boolean => table.hasOnChange === true;
  return ends(routes) || listeners.some((listener) => ends(listener.routes));
}
