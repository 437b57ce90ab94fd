/**
 * What the core asks of the machine besides sockets: files, names, signals, the terminal. Types only.
 *
 * Implemented once for all runtimes, in `adapters/host.ts`.
 */

import type { IoError } from "./errors.ts";
import type { RequestHttp, ServeHttp } from "./http_service.ts";
import type { StartProbe } from "./probe.ts";
import type { System } from "./system.ts";

export interface Host {
  /** `node 26.10.0`, `deno 2.9.6`, `bun 1.4.5`. */
  readonly runtime: string;
  readonly version: string;
  /** The file that runs; undefined where that is no file. */
  readonly program?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** `util.parseArgs`, in the one form the command line needs. @throws {Error} on a bad argument. */
  parseArgs(args: readonly string[], options: Readonly<Record<string, ArgOption>>): ParsedArgs;
  /** @throws {IoError} as the rejection. Relative paths start in the working directory; `-` is standard input. */
  readTextFile(path: string): Promise<string>;
  /** Names of what is in a directory, in no order. @throws {IoError} as the rejection. */
  listDirectory(path: string): Promise<string[]>;
  /** Something that is different once a file's content has changed; undefined: it is not there. */
  fileStamp(path: string): string | undefined;
  /** Opens a buffered log sink; `warn` is told of what goes wrong later. @throws {IoError} when it cannot be opened. */
  openLog(target: LogTarget, warn: (message: string) => void): LogSink;
  /** All addresses of a name, from the hosts file and the system's resolver, or from `servers` alone if any are given. */
  createResolver(options: ResolverOptions): DnsResolver;
  /** Sees whether a server is well. */
  readonly probe: StartProbe;
  /** A small HTTP server, for the program's own interface. */
  readonly serveHttp: ServeHttp;
  /** One request to such a server. */
  readonly requestHttp: RequestHttp;
  /** Takes the terminal over, for a picture of its whole size; undefined where there is none. */
  openScreen(): Screen | undefined;
  /** IP addresses of this machine's interfaces, loopback included. */
  interfaceAddresses(): string[];
  /** IDNA: a Unicode name as A-labels; the empty string where it is none. */
  domainToAscii(name: string): string;
  /** Uniform in [0, 1), not to be guessed. */
  random(): number;
  /** Calls `handler` on each of the named signals; returns how to stop. */
  onSignal(signal: SignalName, handler: () => void): () => void;
  /** Processors that this process may use. */
  readonly parallelism: number;
  /** Starts a thread of the program; undefined where this host has none. */
  readonly startWorker: StartWorker | undefined;
  /** Sockets that are passed on, the service manager, the user; a host without it has none of that to offer. */
  readonly openSystem?: () => Promise<System>;
  /** The soft limit of open descriptors, if it can be known. */
  descriptorLimit(): number | undefined;
  /** What this process takes up now. */
  resources(): Resources;
}

export interface Resources {
  /** Resident memory, bytes. */
  readonly resident: number;
  /** Open descriptors, and the soft limit; undefined where it cannot be known, or the program may not look. */
  readonly descriptors: number | undefined;
  readonly descriptorLimit: number | undefined;
}

/** @typeParam In what the thread is told. @typeParam Out what it tells. */
export type StartWorker = <In, Out>(events: WorkerEvents<Out>, role?: WorkerRole) => WorkerThread<In>;

/** What a thread is for: to carry connections (if it is not said), or to read configuration files. */
export type WorkerRole = "data_plane" | "loader";

export interface WorkerEvents<Out> {
  message(message: Out): void;
  /** It has ended, by itself, by a fault or by `terminate`; once, the last call. */
  exited(reason: string): void;
}

export interface WorkerThread<In> {
  post(message: In): void;
  /** From now on, `post` wakes the thread by writing to this eventfd. */
  wakeBy(descriptor: number | undefined): void;
  terminate(): void;
}

export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR1";

export interface Terminal {
  readonly isTerminal: boolean;
  write(text: string): void;
}

/** A terminal that is drawn on as a whole. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
  /** Called with each key, and with "" when the size has changed. */
  onInput(handler: (key: string) => void): void;
  /** Calls `tick` after so many milliseconds; returns how to prevent it. */
  after(milliseconds: number, tick: () => void): () => void;
  /** Gives the terminal back as it was. */
  close(): void;
}

export interface ArgOption {
  readonly type: "string" | "boolean";
  readonly short?: string;
}

export interface ParsedArgs {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/** `stdout`, `stderr`, or the path of a file that is appended to. */
export type LogTarget = string;

export interface LogSink {
  /** Queues one line (without its newline). Never blocks, never throws; see `dropped`. */
  write(line: string): void;
  /** Lines lost because the target could not take them in time. */
  readonly dropped: number;
  /** Files only: opens the path anew, after a log rotation. */
  reopen(): void;
  /** Writes what is queued. */
  flush(): Promise<void>;
  /** Flushes and closes. */
  close(): Promise<void>;
}

export interface ResolverOptions {
  /** `IP:port` of DNS servers; empty: the system's resolver with its hosts file. */
  readonly servers: readonly string[];
  /** Milliseconds for one name. */
  readonly timeout: number;
  /** The families to ask for, the preferred one first; absent: both, in the system's order or IPv6 first. */
  readonly families?: readonly AddressFamily[] | undefined;
}

export type AddressFamily = "ipv4" | "ipv6";

/** What a name resolved to, in the order of preference. */
export interface ResolvedAddresses {
  readonly addresses: readonly string[];
  /** Milliseconds for which it may be believed; undefined where the system does not say. */
  readonly ttl: number | undefined;
}

/** One SRV record: RFC 2782. */
export interface ServiceRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** Canonical; empty where the service is decidedly not available. */
  readonly target: string;
}

export interface ResolvedServices {
  readonly services: readonly ServiceRecord[];
  readonly ttl: number | undefined;
}

/** One HTTPS record. Its texts are foreign: escape them. */
export interface BindingRecord {
  /** 0: an alias for `target`, without parameters. */
  readonly priority: number;
  /** Canonical; empty: the name that was asked for, or in an alias that there is no such service. */
  readonly target: string;
  /** Protocols that are offered besides the default one. */
  readonly alpn: readonly string[];
  readonly port: number | undefined;
  /** Client hellos can be encrypted (ECH): a proxy sees the outer name only. */
  readonly ech: boolean;
  /** Addresses that clients may use without asking for any. */
  readonly hints: readonly string[];
}

export interface ResolvedBindings {
  readonly bindings: readonly BindingRecord[];
}

/** `ENOTFOUND` (no such name, or nothing of that kind: final), or why nobody could say: `ETIMEOUT`, `ESERVFAIL`, … */
export interface ResolveFailure extends IoError {
  /** Milliseconds for which `ENOTFOUND` may be believed, where the server said so. */
  readonly ttl?: number | undefined;
}

export interface Resolver {
  /** Lookups that may be under way at once: each takes descriptors, or a thread. */
  readonly concurrency: number;
  /**
   * A and AAAA addresses. `answered` is called once; twice where one family's answer was so late that the other's was
   * given first (RFC 8305 §3): then with `more`, since the lookup goes on, and the second time with all.
   */
  resolve(name: string, answered: (outcome: ResolvedAddresses | ResolveFailure, more?: "more") => void): void;
  /** SRV records of a name such as `_https._tcp.example.com`. */
  resolveService(name: string, answered: (outcome: ResolvedServices | ResolveFailure) => void): void;
  /** Ends outstanding lookups, with `ECANCELLED`. */
  close(): void;
}

/** A resolver that can also tell what DNS alone says. */
export interface DnsResolver extends Resolver {
  /** HTTPS records (RFC 9460) of a host name, by DNS alone: no hosts file has any. */
  resolveBindings(name: string, answered: (outcome: ResolvedBindings | ResolveFailure) => void): void;
  /** A and AAAA addresses by DNS alone, past the hosts file and whatever else the system asks. */
  resolveByDns(name: string, answered: (outcome: ResolvedAddresses | ResolveFailure) => void): void;
}
