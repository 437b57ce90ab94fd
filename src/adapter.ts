/**
 * The adapter contract: what the core asks of a runtime's sockets. Types only.
 *
 * Everything is a synchronous callback, so that Node's events, Bun's handlers, Deno's read loop and an
 * epoll loop all fit it. An adapter pumps bytes; it takes no decision about a connection.
 */

import type { Endpoint } from "./address.ts";
import type { IoError } from "./errors.ts";

/** One way of doing sockets on one runtime. */
export interface Adapter {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly clock: Clock;
  /**
   * Connects that were given up and still hold a descriptor, because the runtime cannot end them before the
   * system does; always 0 where it can.
   */
  readonly abandonedConnects: number;
  /**
   * Binds and accepts. Port 0 takes a free port; `Listener.endpoint` says which.
   * `[::]` accepts IPv4 too, and IPv4-mapped peers are reported as IPv4.
   * @throws {IoError} as the rejection: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, …
   */
  listen(endpoint: Endpoint, accepted: (socket: Socket) => void, options?: ListenOptions): Promise<Listener>;
  /** Starts a connection; exactly one of the two callbacks is called, never before `connect` returns. */
  connect(endpoint: Endpoint, callbacks: ConnectCallbacks, options?: ConnectOptions): Connecting;
  /**
   * Joins two open sockets until both directions have ended: backpressure both ways, half-close both
   * ways, resets passed on as resets where `capabilities.reset` says so. The sockets' own handlers are not called any more.
   * What was written to them before goes first, and an end that they have told already still counts.
   */
  relay(client: Socket, server: Socket, options: RelayOptions, owner: RelayOwner): Relay;
}

/** What an adapter can do; each `false` is a declared gap of the conformance suite. */
export interface Capabilities {
  /** `Socket.reset` sends RST rather than FIN. */
  readonly reset: boolean;
  /** A peer's RST is told apart from its FIN. */
  readonly detectsReset: boolean;
  /** `Listener.pause` stops accepting, so that the kernel's backlog holds clients. */
  readonly pauseAccepts: boolean;
  /** `ListenOptions.reusePort` works, so that several workers can share a port. */
  readonly reusePort: boolean;
  /** `ListenOptions.adopt` works. */
  readonly adopts?: boolean;
  /** `ConnectOptions.bind` works. */
  readonly bind: boolean;
  /** `ConnectOptions.fastOpen` works. */
  readonly fastOpen: boolean;
  /** `userTimeout` works, for both sides. */
  readonly userTimeout: boolean;
}

/** Options of a TCP connection. An adapter without the capability must not be given the option. */
export interface TcpOptions {
  /** Milliseconds for which sent bytes may stay unacknowledged (`TCP_USER_TIMEOUT`, RFC 5482); 0: the system's. */
  readonly userTimeout?: number;
}

export interface ConnectOptions extends TcpOptions {
  /** The local IP address for servers of its family; at most one of each. */
  readonly bind?: readonly string[];
  /** `TCP_FASTOPEN_CONNECT` (RFC 7413): a server that is known may be taken for connected before it answers. */
  readonly fastOpen?: boolean;
}

export interface ListenOptions extends TcpOptions {
  /** `SO_REUSEPORT`: other workers, or the next process, listen on the same port, and the kernel spreads connections. */
  readonly reusePort?: boolean;
  /**
   * Descriptors of sockets that listen on the endpoint already: they are accepted from in place of binding one, and
   * closed with the listener. A `unix:` socket's file then stays. Not empty; only with `capabilities.adopts`.
   */
  readonly adopt?: readonly number[];
  /** Told once for an episode, where the runtime tells us: clients cannot be accepted for now (`EMFILE`, …). */
  readonly acceptFailed?: (code: string) => void;
}

export interface Listener {
  /** Where it listens, with the port that was given for 0. */
  readonly endpoint: Endpoint;
  /** Stops accepting for now, where `capabilities.pauseAccepts`; otherwise does nothing. */
  pause(): void;
  resume(): void;
  /** Stops accepting for good; open sockets live on. A `unix:` socket's file is removed. */
  close(): void;
}

export interface ConnectCallbacks {
  connected(socket: Socket): void;
  failed(error: IoError): void;
}

export interface Connecting {
  /** Gives up: neither callback is called afterwards, and the socket, should it open, is destroyed. */
  cancel(): void;
}

/**
 * A connected stream socket, `TCP_NODELAY` and keepalive set. It reads nothing until `read` is called.
 * After `closed` every method is a no-op.
 */
export interface Socket {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  /** Set by the owner before the first `read`. */
  handlers: SocketHandlers;
  /** Asks for one `received`, `ended` or `closed`. A second call before the answer is one request. */
  read(): void;
  /** Queues `bytes` (copied if they must be kept); meant for the few hundred bytes of a head or a reply. */
  write(bytes: Uint8Array): void;
  /** Sends FIN behind what is queued; reading goes on. */
  end(): void;
  /** Closes at once, with RST where the runtime can; queued bytes are dropped. */
  reset(): void;
  /** Closes now, without RST if nothing is unread; queued bytes are still sent if the system takes them. */
  destroy(): void;
}

export interface SocketHandlers {
  /** `bytes` (never empty) are lent for the call: keep a copy. */
  received(bytes: Uint8Array): void;
  /** The peer sent FIN. Comes at most once, and only in answer to `read`. */
  ended(): void;
  /** The socket is gone, by error or by our own `reset`/`destroy`. The last call, exactly once. */
  closed(error: IoError | undefined): void;
}

/** Only looked at by `relay` itself: none of it is kept but the functions and the rate. */
export interface RelayOptions {
  /** Sent to the server before anything else: PROXY header and preread bytes. Owned by the relay. */
  readonly head: Uint8Array;
  /**
   * Where only a part of what the client sends may pass (one HTTP request): says how many of
   * `bytes`' first bytes go to the server; the rest is dropped. -1: it is broken, and the relay ends with `cut`.
   * Absent: everything passes.
   */
  readonly fromClient?: ((bytes: Uint8Array) => number) | undefined;
  /** How fast bytes may pass. Absent: as fast as both sides can. */
  readonly rate?: RelayRate | undefined;
  /** Bytes that have passed before the relay, `head` among those to the server: with a `rate`, they count. */
  readonly passed?: RelayPassed | undefined;
  /** Sees, without changing it, what the server sends, until it returns `false`. */
  readonly fromServer?: ((bytes: Uint8Array) => boolean) | undefined;
}

/**
 * Bytes per second of each direction, averaged over a tenth of a second or so; undefined: without limit. What may not
 * pass yet is not read, so that the sender is slowed down by the system.
 */
export interface RelayRate {
  readonly down?: number | undefined;
  readonly up?: number | undefined;
}

/** Bytes in each direction. */
export interface RelayPassed {
  readonly down: number;
  readonly up: number;
}

/** Who is told of a relay's end; an object, so that no relay needs a closure of its own. */
export interface RelayOwner {
  /** Called exactly once, after `relay` has returned, when both sockets are closed and nothing is left open. */
  relayDone(end: RelayEnd): void;
}

/** Who ended a relay: both by FIN, one by an error, or `Relay.cut`. */
export type RelayEndReason = "ended" | "client_reset" | "server_reset" | "cut";

export interface RelayEnd {
  readonly reason: RelayEndReason;
  readonly error?: IoError;
}

export interface Relay {
  /** Bytes handed to the server's socket so far, the head included. Grows while the relay moves. */
  readonly bytesToServer: number;
  /** Bytes handed to the client's socket so far. */
  readonly bytesToClient: number;
  /** Ends both sides at once (RST where the runtime can); `relayDone` follows with `cut`. */
  cut(): void;
}

/** The time of one event loop. */
export interface Clock {
  /** Monotonic, milliseconds. */
  now(): number;
  /** Since the Unix epoch, milliseconds. */
  wallTime(): number;
  /** Calls `task` once, `delay` ms from now; the returned function cancels it. */
  after(delay: number, task: () => void): () => void;
}
