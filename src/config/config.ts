/**
 * The configuration as the rest of the program sees it. Types only.
 *
 * Everything is resolved: durations are milliseconds, sizes bytes, names canonical, endpoints parsed, references
 * checked, defaults filled in. Whoever holds a `Config` has nothing left to validate.
 */

import type { Endpoint } from "../address.ts";
import type { CidrSet } from "../cidr_set.ts";
import type { AddressFamily } from "../host.ts";
import type { RoutePattern } from "../hostname.ts";
import type { AdminConfig } from "./admin_options.ts";
import type { HealthCheckConfig } from "./health_config.ts";

export interface Config {
  /** At least one; no two on one endpoint. */
  readonly listeners: readonly ListenerConfig[];
  /** The top-level `routes`; empty, with `default: reject`, where every listener has its own. */
  readonly routes: RouteTable;
  readonly upstreams: ReadonlyMap<string, UpstreamConfig>;
  readonly timeouts: TimeoutsConfig;
  readonly resolver: ResolverConfig;
  /** Where else this proxy is reached, by NAT or through a load balancer. */
  readonly selfAddresses: readonly SelfAddress[];
  readonly limits: LimitsConfig;
  readonly log: LogConfig;
  readonly tcp: TcpConfig;
  /** Who the process becomes once it listens; both undefined: it stays who it is. Names or numbers. */
  readonly user?: string | undefined;
  readonly group?: string | undefined;
  /** Absent: there is no interface for whoever operates it. */
  readonly admin?: AdminConfig;
  readonly adapter: AdapterChoice;
  /** The file is read again when it has changed. */
  readonly watch: boolean;
  /** Threads of the data plane; `auto`: one for each processor. */
  readonly workers: number | "auto";
}

export type AdapterChoice = "auto" | "linux" | "node" | "deno" | "bun";

export interface ListenerConfig {
  /** Port 0: any free one. */
  readonly endpoint: Endpoint;
  readonly protocol: ListenerProtocol;
  /** Only with `any`: where goes what has no name. */
  readonly kinds: KindsConfig | undefined;
  /** A PROXY header must come first, from a peer in `trustedProxies`; other peers are rejected. */
  readonly proxyProtocol: boolean;
  /** Empty unless `proxyProtocol`. On a `unix:` listener it may be empty: the file's permissions say who is trusted. */
  readonly trustedProxies: CidrSet;
  /** The port of the `https:` URL that every request is redirected to; `undefined`: forward. Only with `http`. */
  readonly redirectToHttps: number | undefined;
  /** Who may connect; absent: everybody. */
  readonly access?: AccessConfig;
  /** For routes that have none. */
  readonly rate?: RateConfig | undefined;
  /** The listener's own routes, else the very object that `Config.routes` is. */
  readonly routes: RouteTable;
}

export type ListenerProtocol = "tls" | "http" | "postgres" | "any";

/** Destinations of a listener for `any` protocol; never `direct`. */
export interface KindsConfig {
  readonly ssh: Destination;
  readonly other: Destination;
  /** Of clients that say nothing; `undefined`: they wait for `timeouts.preread` and are closed. */
  readonly silent: Destination | undefined;
  /** Milliseconds without a byte after which a client counts as silent. */
  readonly silentAfter: number;
}

export interface RouteTable {
  /** The routes in file order, no two with one meaning, none of the kind `default`; the room `route_table` reads and writes it. */
  readonly memory: SharedArrayBuffer;
  /** How many they are. */
  readonly size: number;
  /** The upstreams that they lead to, each with the first exact names that do. */
  readonly upstreams: ReadonlyMap<string, readonly string[]>;
  /** `reject` where the file does not say; never `direct`. */
  readonly default: Destination;
  /** What the default route says beyond its destination. */
  readonly defaultGuard?: RouteGuard;
  /** One of the routes, `default` included, has `onChange`. */
  readonly hasOnChange?: boolean;
}

/** Who may use a route, how fast, and for how long after it is gone. Absent where the route does not say. */
export interface RouteGuard {
  readonly access?: AccessConfig;
  readonly rate?: RateConfig;
  /**
   * Milliseconds that its connections have when a new configuration takes their route or their server away; 0: they are
   * cut; undefined: as long as they like.
   */
  readonly onChange?: number;
}

/** The first rule that holds a client counts. */
export interface AccessConfig {
  readonly rules: readonly AccessRule[];
  /** What becomes of whom no rule holds: true, they may connect. */
  readonly otherwise: boolean;
  /** It refuses nobody, and the log says whom it would. */
  readonly dryRun: boolean;
}

export interface AccessRule {
  readonly allow: boolean;
  readonly networks: CidrSet;
  /** It also holds clients that have no address: those of `unix:` listeners. */
  readonly unix: boolean;
}

/** Bytes per second of one connection; undefined: without limit. */
export interface RateConfig {
  /** To the client. */
  readonly down?: number | undefined;
  /** To the server. */
  readonly up?: number | undefined;
}

export type Route = RoutePattern & RouteOptions;

export interface RouteOptions extends RouteGuard {
  readonly to: Destination;
  /** `direct` may reach private, loopback and other addresses that are not global. */
  readonly allowPrivate: boolean;
  /** In place of the upstream's. */
  readonly via: ViaConfig | undefined;
  /** In place of the upstream's and of `tcp.bind`. */
  readonly bind: readonly string[] | undefined;
  /** The pattern as written. */
  readonly text: string;
  /** Where it was written, 1-based; 0 if not in a file. */
  readonly line: number;
  /** The included file that it was written in; absent: the configuration's own. */
  readonly file?: string;
}

/** Where a connection goes. `port: undefined` is always the listener's own port. */
export type Destination =
  | { readonly kind: "reject" }
  /** The server name itself, resolved. */
  | { readonly kind: "direct"; readonly port: number | undefined }
  /** A key of `Config.upstreams`. */
  | { readonly kind: "upstream"; readonly name: string }
  | Target;

/** One server that can be dialled. */
export type Target =
  | { readonly kind: "ip"; readonly ip: string; readonly port: number | undefined }
  /** A canonical host name, to be resolved. */
  | { readonly kind: "host"; readonly name: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export interface UpstreamConfig {
  readonly name: string;
  readonly balance: BalanceConfig;
  /** At least one, in file order. */
  readonly servers: readonly ServerConfig[];
  /** The PROXY header that is sent to the servers. */
  readonly proxyProtocol: ProxyHeaderConfig | undefined;
  /** The proxy that leads on to the servers. */
  readonly via: ViaConfig | undefined;
  /** Local addresses for connections to the servers, in place of `tcp.bind`. */
  readonly bind: readonly string[] | undefined;
  readonly nextServer: NextServerConfig;
  /** Where connections wait while every server has its `maxConnections`; undefined: they are rejected. */
  readonly queue: QueueConfig | undefined;
  /** Active checks of its servers, if any. */
  readonly healthCheck: HealthCheckConfig | undefined;
}

/** How a server is chosen. */
export type BalanceConfig =
  | { readonly kind: "round_robin" | "least_conn" | "random" | "random_two" }
  /** `key` is text with `$variables`. */
  | { readonly kind: "hash"; readonly key: string; readonly consistent: boolean };

export interface NextServerConfig {
  /** Servers that one connection may try; 0: all. */
  readonly tries: number;
  /** Milliseconds after which no further server is tried; 0: as long as `timeouts.connect` lasts. */
  readonly timeout: number;
}

export interface QueueConfig {
  /** Connections that wait at once, in all workers together. */
  readonly size: number;
  /** Milliseconds that one waits. */
  readonly timeout: number;
}

/** A PROXY header; everything but the version is only in version 2. */
export interface ProxyHeaderConfig {
  readonly version: 1 | 2;
  /** The server name, as PP2_TYPE_AUTHORITY. */
  readonly authority: boolean;
  /** PP2_TYPE_ALPN, where the client offers exactly one protocol. */
  readonly alpn: boolean;
  /** `$unique_id`, as PP2_TYPE_UNIQUE_ID. */
  readonly uniqueId: boolean;
  /** PP2_TYPE_CRC32C. */
  readonly checksum: boolean;
}

/** A proxy on the way to servers. */
export interface ViaConfig {
  /** `http`: CONNECT. */
  readonly protocol: "socks5" | "http";
  readonly target: ProxyAddress;
  readonly username: string | undefined;
  readonly password: SecretSource | undefined;
}

export type ProxyAddress =
  | { readonly kind: "ip"; readonly ip: string; readonly port: number }
  | { readonly kind: "host"; readonly name: string; readonly port: number };

/** Where a password is read from, at startup. */
export type SecretSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "env"; readonly name: string };

export interface ServerConfig {
  /** A service has port 0. */
  readonly target: Target;
  /** The servers at work are the addresses of its name (`address`), or its SRV records (`service`). */
  readonly discover?: "address" | "service";
  /** 1 to 1000. */
  readonly weight: number;
  /** Only used when no other server can be. */
  readonly backup: boolean;
  /** Never used. */
  readonly down: boolean;
  /** Connections at once, in all workers together; 0: no limit. */
  readonly maxConnections: number;
  /** Failures within `failTimeout` after which it is passed over for `failTimeout`; 0: never. */
  readonly maxFails: number;
  /** Milliseconds. */
  readonly failTimeout: number;
  /** Milliseconds in which its weight grows back after it was passed over; 0: at once. */
  readonly slowStart: number;
}

/** All in milliseconds. */
export interface TimeoutsConfig {
  /** From accept until the route is known. */
  readonly preread: number;
  /** From the route until a server is connected, every try included. */
  readonly connect: number;
  /** Without a byte either way. */
  readonly idle: number;
  /** For open connections at shutdown; 0 ends them at once. */
  readonly drain: number;
}

export interface ResolverConfig {
  /** `IP:port` of DNS servers; empty: the system's resolver with its hosts file. */
  readonly servers: readonly string[];
  /** Milliseconds for one name. */
  readonly timeout: number;
  /** The preferred one first; undefined: both, in the system's order, or IPv6 first with `servers`. */
  readonly families: readonly AddressFamily[] | undefined;
  /** Milliseconds that an answer is kept at least and at most, whatever its TTL. */
  readonly minTtl: number;
  readonly maxTtl: number;
  /** Milliseconds beyond its TTL that an answer is used while there is no newer one. */
  readonly staleFor: number;
}

export interface SelfAddress {
  readonly ip: string;
  /** Undefined: any. */
  readonly port: number | undefined;
}

export interface LimitsConfig {
  /** Open connections at once; `auto`: what the descriptor limit allows. */
  readonly connections: number | "auto";
  /** Open connections at once of one client. */
  readonly perClient?: number | undefined;
  /** New connections per second of one client. */
  readonly newPerSecond?: number | undefined;
  /** How many of those may come at once; undefined: `newPerSecond`. */
  readonly burst?: number | undefined;
  /** Connections at once that are not connected to a server yet. */
  readonly handshakes?: number | undefined;
  /** Those above but `connections` refuse nobody, and the log says whom they would. */
  readonly dryRun: boolean;
  /** Bytes of the first message, for one connection. */
  readonly prereadBytes: number;
  /** The same for all connections together. */
  readonly prereadTotal: number;
}

export interface TcpConfig {
  /** Local addresses for connections to servers: at most one of each family. */
  readonly bind: readonly string[];
  readonly fastOpen: boolean;
  /** Milliseconds; 0: the system's. */
  readonly userTimeout: number;
}

export interface LogConfig {
  /** `undefined`: no access log. */
  readonly access: AccessLogConfig | undefined;
}

export interface AccessLogConfig {
  /** `stdout`, `stderr` or the path of a file. */
  readonly path: string;
  /** `text`, `json`, or a line with `$variables`. */
  readonly format: string;
}
