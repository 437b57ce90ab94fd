/**
 * The proxy: accepts connections and drives their sessions.
 *
 * Owns: the listeners, the set of open connections, their one timer, and the limit on their number. It must
 * not parse, route or pump: sessions and the adapter do.
 */

import type { Adapter, ConnectOptions, Listener, Socket } from "../adapter.ts";
import { type Endpoint, formatEndpoint } from "../address.ts";
import type { Config, ListenerConfig, ListenerProtocol, Route } from "../config/config.ts";
import type { Secrets } from "../config/secrets.ts";
import { type ConnectionRecord, newRecord } from "../connection_record.ts";
import { Deadlines } from "../deadlines.ts";
import type { IoError } from "../errors.ts";
import { Admission, type WorkerLimits } from "../limits/admission.ts";
import { Counts } from "../metrics/counts.ts";
import { Router } from "../router.ts";
import { kindRoutes, namelessRoute } from "../session/kind_routes.ts";
import { PrereadBudget } from "../session/preread_buffer.ts";
import { Session } from "../session/session.ts";
import type { SessionSettings } from "../session/session_settings.ts";
import { AddressMemory } from "../upstream/address_memory.ts";
import { type OpenBoard, ownBoard } from "../upstream/allotments.ts";
import { DirectPolicy } from "../upstream/direct_policy.ts";
import { LoopWatch } from "../upstream/loop_watch.ts";
import { createRandom } from "../upstream/random.ts";
import { createUpstreams, type Upstream } from "../upstream/upstream.ts";
import type { PassOn } from "../upstream/waiting_line.ts";
import { Connection, type ConnectionOwner, type Resolve } from "./connection.ts";
import { ListenError } from "./listen_error.ts";

/** What a proxy is made of besides its configuration. */
export interface ProxyParts {
  readonly adapter: Adapter;
  /** Addresses of a name. */
  readonly resolve: Resolve;
  /** Canonical addresses of this machine, which `direct` never leads back to. */
  readonly ownAddresses: readonly string[];
  /** Open connections at most. */
  readonly connectionLimit: number;
  /** What clients may take up; absent where only `connectionLimit` counts. */
  readonly limits?: WorkerLimits | undefined;
  /** Passwords of the proxies that `via` names; none if absent. */
  readonly secrets?: Secrets;
  /** The first connection's number and how far it is from one to the next, where several workers count. */
  readonly numbering?: Numbering;
  /** Where to listen in place of the configured addresses, in their order; null: not here. */
  readonly endpoints?: readonly (Endpoint | null)[];
  /** Other workers listen on the same ports. */
  readonly reusePort?: boolean;
  /** What is counted of upstreams' servers over all threads; absent: this is the only one. */
  readonly board?: OpenBoard;
  /** Tells another worker that a connection of its own is next in an upstream's line. */
  readonly passOn?: PassOn;
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

interface OpenListener {
  readonly config: ListenerConfig;
  readonly listener: Listener;
  readonly text: string;
  readonly settings: SessionSettings;
}

export class ProxyServer implements ConnectionOwner {
  readonly adapter: Adapter;
  readonly resolve: Resolve;
  readonly connectOptions: ConnectOptions;
  /** Connections that have ended. */
  readonly counts = new Counts();
  /** Those of the configuration, at work. */
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly #config: Config;
  readonly #parts: ProxyParts;
  readonly #listeners: OpenListener[] = [];
  #directPolicy: DirectPolicy | undefined;
  readonly #connections = new Set<Connection>();
  readonly #deadlines = new Deadlines<Connection>();
  #wakeAt = Infinity;
  #cancelWake: () => void = () => {};
  /** Of the next connection. */
  #number: number;
  readonly #numberStep: number;
  #full = false;
  /** Called when the last connection has gone. */
  #drained: (() => void)[] = [];

  constructor(config: Config, parts: ProxyParts) {
    this.adapter = parts.adapter;
    this.resolve = parts.resolve;
    this.connectOptions = config.tcp;
    this.#config = config;
    this.#parts = parts;
    this.#number = parts.numbering?.first ?? 1;
    this.#numberStep = parts.numbering?.step ?? 1;
    const { clock } = parts.adapter;
    const { board, allotments } = parts.board ?? ownBoard(config.upstreams, clock);
    this.upstreams = createUpstreams(config.upstreams, allotments, {
      board,
      random: createRandom(clock.wallTime() + 1000 * clock.now()),
      tell: (message) => parts.warn?.(message),
      passOn: parts.passOn,
    });
  }

  /** Opens every listener, or none. @throws {ListenError} as the rejection. */
  async start(): Promise<void> {
    const opened: { readonly config: ListenerConfig; readonly listener: Listener }[] = [];
    try {
      for (const [position, config] of this.#config.listeners.entries()) {
        const endpoint = this.#parts.endpoints === undefined ? config.endpoint : this.#parts.endpoints[position];
        if (endpoint === null || endpoint === undefined) continue;
        const index = opened.length;
        const accepted = (socket: Socket): void => this.#accepted(this.#listeners[index], socket);
        opened.push({ config, listener: await this.#listen(endpoint, accepted) });
      }
    } catch (error) {
      for (const { listener } of opened) listener.close();
      throw error;
    }
    const endpoints = opened.map(({ listener }) => listener.endpoint);
    this.#directPolicy = new DirectPolicy(endpoints, this.#parts.ownAddresses, this.#config.selfAddresses);
    const settings = sessionSettings(this.#config, this.#parts, this.#directPolicy, this.upstreams, opened);
    opened.forEach(({ config, listener }, index) => {
      this.#listeners.push({ config, listener, text: formatEndpoint(listener.endpoint), settings: settings[index]! });
    });
  }

  async #listen(endpoint: Endpoint, accepted: (socket: Socket) => void): Promise<Listener> {
    try {
      return await this.adapter.listen(endpoint, accepted, {
        reusePort: this.#parts.reusePort ?? false,
        userTimeout: this.#config.tcp.userTimeout,
        acceptFailed: (code) =>
          this.#parts.warn?.(
            `Cannot accept on ${formatEndpoint(endpoint)}: ${code}; clients wait until there is room again`,
          ),
      });
    } catch (error) {
      throw new ListenError(endpoint, error as IoError);
    }
  }

  /** The addresses of this machine's interfaces have changed. */
  setOwnAddresses(addresses: readonly string[]): void {
    this.#directPolicy?.setOwnAddresses(addresses);
  }

  /** Where it listens, in the order of the configuration, ports resolved. */
  get endpoints(): readonly Endpoint[] {
    return this.#listeners.map(({ listener }) => listener.endpoint);
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
    for (const { listener } of this.#listeners) listener.close();
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

  /** A server of an upstream, by its group on the board, has room. */
  freed(group: number): void {
    for (const upstream of this.upstreams.values()) if (upstream.index === group) upstream.freed();
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

  #accepted(open: OpenListener | undefined, socket: Socket): void {
    // Between the first `listen` and the last, there is nobody yet to serve.
    if (open === undefined) {
      socket.destroy();
      return;
    }
    const now = this.adapter.clock.now();
    const { config, settings, text } = open;
    const wallTime = this.adapter.clock.wallTime();
    const record = newRecord(this.#number, wallTime, text, config.protocol, socket.remote, socket.local);
    this.#number += this.#numberStep;
    const connection = new Connection(this, socket, new Session(settings, record, now));
    this.#connections.add(connection);
    this.#parts.accepted?.();
    if (this.#load() > this.#parts.connectionLimit) connection.abort("too_many_connections");
    else connection.start();
    this.#checkLimit();
  }

  /** Connections, and what abandoned connects take of their descriptors: one where a connection takes two. */
  #load(): number {
    return this.#connections.size + Math.ceil(this.adapter.abandonedConnects / 2);
  }

  #checkLimit(): void {
    const load = this.#load();
    const full = load >= this.#parts.connectionLimit;
    if (full === this.#full) return;
    // Some way below the limit again before it counts as over: one line in the log, not one for each connection.
    if (!full && load > this.#parts.connectionLimit * 0.95) return;
    this.#full = full;
    if (full) this.#parts.warn?.(`limits.connections reached: ${this.#connections.size} connections are open`);
    for (const { listener } of this.#listeners) {
      if (full) listener.pause();
      else listener.resume();
    }
  }

  // --- for connections ---

  /** Those who are turned away must not fill the house: beyond half the limit a reply is sent without waiting for its arrival. */
  get isCrowded(): boolean {
    return this.#load() > this.#parts.connectionLimit / 2;
  }

  setDeadline(connection: Connection, at: number): void {
    this.#deadlines.set(connection, at);
    if (at < this.#wakeAt) this.#arm();
  }

  finished(connection: Connection): void {
    this.counts.add(connection.session.record);
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
    if (this.#full) this.#checkLimit();
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

/** What the sessions of each listener share; one router for listeners that share their routes. */
function sessionSettings(
  config: Config,
  parts: ProxyParts,
  directPolicy: DirectPolicy,
  upstreams: ReadonlyMap<string, Upstream>,
  opened: readonly { readonly config: ListenerConfig; readonly listener: Listener }[],
): SessionSettings[] {
  const endpoints = opened.map(({ listener }) => listener.endpoint);
  const addresses = new AddressMemory();
  const budget = new PrereadBudget(config.limits.prereadTotal);
  const routers = new Map<unknown, Router<Route>>();
  return opened.map(({ config: listener }, index) => {
    const table = listener.routes;
    const router = routers.get(table) ?? createRouter(table);
    routers.set(table, router);
    const endpoint = endpoints[index]!;
    return {
      protocol: listener.protocol,
      kinds: listener.kinds && kindRoutes(listener.kinds),
      port: endpoint.kind === "tcp" ? endpoint.port : DEFAULT_PORTS[listener.protocol],
      trustedProxies: listener.proxyProtocol ? listener.trustedProxies : undefined,
      redirectToHttps: listener.redirectToHttps,
      admission: (listener.access ?? parts.limits) ? new Admission(listener.access, parts.limits) : undefined,
      rate: listener.rate,
      router,
      upstreams,
      directPolicy,
      secrets: parts.secrets ?? {},
      addresses,
      loops: new LoopWatch(),
      prereadTimeout: config.timeouts.preread,
      connectTimeout: config.timeouts.connect,
      idleTimeout: config.timeouts.idle,
      prereadBytes: config.limits.prereadBytes,
      budget,
    };
  });
}

/** Of a name on a `unix:` listener. */
const DEFAULT_PORTS: Readonly<Record<ListenerProtocol, number>> = { tls: 443, http: 80, postgres: 5432, any: 443 };

/** The router of a route table. */
export function createRouter(table: ListenerConfig["routes"]): Router<Route> {
  return new Router<Route>(table.patterns, { ...namelessRoute("default", table.default), ...table.defaultGuard });
}
