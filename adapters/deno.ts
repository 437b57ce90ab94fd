/**
 * The adapter of Deno's own sockets, `Deno.listen` and `Deno.connect` (stable API).
 *
 * Owns: `Deno.Conn` as a `Stream`, listen and connect. It takes no decision about a connection.
 *
 * Known of the runtime: Deno cannot send RST, so `reset` closes. One client may still be accepted after
 * `pause`; it is held until `resume`.
 */

import type { Adapter, ConnectCallbacks, Connecting, Listener, ListenOptions, Socket } from "../src/adapter.ts";
import type { Endpoint } from "../src/address.ts";
import type { IoError } from "../src/errors.ts";
import { systemClock } from "./clock.ts";
import { tcpEndpoint, unixEndpoint } from "./shared/endpoint.ts";
import { toIoError } from "./shared/io_error.ts";
import { relayStreams } from "./shared/relay.ts";
import { Shortage } from "./shared/shortage.ts";
import { StreamSocket } from "./shared/socket.ts";
import { LISTEN_BACKLOG, NO_OWNER, type Stream, type StreamOwner } from "./shared/stream.ts";
import { bindOverStale, type UnixPath } from "./shared/unix_path.ts";

/** A connection waits for bytes with this much of its own: what an idle one costs. */
const SMALL_BUFFER = 4096;
/** One that moves much borrows a large buffer, from bytes that filled the small one to a read that falls short. */
const LARGE_BUFFER = 262_144;
const MAX_SPARE_BUFFERS = 64;
/** Milliseconds in which `destroy` lets Deno begin the writes it was given. */
const LAST_WRITES = 20;
/** Milliseconds until a failed accept is tried again. */
const ACCEPT_RETRY = 50;
/** What accept fails with for a client that is gone by then. */
const CLIENT_GONE = new Set(["ENOTCONN", "ECONNABORTED", "ECONNRESET"]);

const spareBuffers: Uint8Array<ArrayBuffer>[] = [];

class DenoStream implements Stream {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  owner: StreamOwner = NO_OWNER;
  closed = false;
  readonly #conn: Deno.Conn;
  readonly #small = new Uint8Array(SMALL_BUFFER);
  #large: Uint8Array<ArrayBuffer> | undefined;
  /** The last read left no room in its buffer. */
  #filled = false;
  #wantsBytes = false;
  /** A read is under way, or its bytes are in the owner's hands. */
  #reading = false;
  #finSeen = false;
  /** Oldest first; the first one is being written. */
  #unsent: Uint8Array[] = [];
  /** FIN is to be sent behind what is unsent. */
  #ending = false;
  #finSent = false;
  /** To be closed behind what is unsent; nothing that comes is of interest any more. */
  #finishing = false;
  /** Why nothing can be written any more, while something may be left to read. */
  #broken: IoError | undefined;
  readonly #onRead = (count: number | null) => this.#read(count);
  readonly #onReadError = (error: unknown) => this.#close(toIoError(error));
  readonly #onWritten = (count: number) => this.#written(count);
  readonly #onWriteError = (error: unknown) => this.#writeFailed(toIoError(error));

  constructor(conn: Deno.Conn, remote: Endpoint, local: Endpoint) {
    this.#conn = conn;
    this.remote = remote;
    this.local = local;
  }

  resume(): void {
    this.#wantsBytes = true;
    if (this.#reading || this.#finSeen || this.closed) return;
    this.#reading = true;
    this.#conn.read(this.#nextBuffer()).then(this.#onRead, this.#onReadError);
  }

  pause(): void {
    this.#wantsBytes = false;
  }

  /** Chosen only now, when nobody holds the last read's bytes any more. */
  #nextBuffer(): Uint8Array {
    if (this.#filled) this.#large ??= spareBuffers.pop() ?? new Uint8Array(LARGE_BUFFER);
    else this.#giveBack();
    return this.#large ?? this.#small;
  }

  #giveBack(): void {
    if (this.#large !== undefined && spareBuffers.length < MAX_SPARE_BUFFERS) spareBuffers.push(this.#large);
    this.#large = undefined;
  }

  #read(count: number | null): void {
    if (this.closed || this.#finishing) return;
    if (count === null) this.#finCame();
    else this.#bytesCame(count);
  }

  #bytesCame(count: number): void {
    const buffer = this.#large ?? this.#small;
    this.#filled = count === buffer.length;
    if (count > 0) this.owner.received(buffer.subarray(0, count));
    this.#reading = false;
    if (this.#wantsBytes) this.resume();
  }

  #finCame(): void {
    this.#reading = false;
    this.#finSeen = true;
    this.#giveBack();
    this.owner.ended();
    if (this.#finSent || this.#broken !== undefined) this.#close(this.#broken);
  }

  write(bytes: Uint8Array): boolean {
    if (this.closed || this.#ending || this.#finishing || this.#broken !== undefined) return true;
    if (this.#unsent.push(bytes) === 1) this.#conn.write(bytes).then(this.#onWritten, this.#onWriteError);
    return false;
  }

  #written(count: number): void {
    const bytes = this.#unsent[0];
    if (this.closed || bytes === undefined) return;
    if (count < bytes.length) this.#unsent[0] = bytes.subarray(count);
    else this.#unsent.shift();
    const next = this.#unsent[0];
    if (next !== undefined) this.#conn.write(next).then(this.#onWritten, this.#onWriteError);
    else this.#drained();
  }

  #drained(): void {
    if (this.#finishing) {
      this.#close(undefined);
      return;
    }
    if (this.#ending) this.#sendFin();
    this.owner.drained();
  }

  /**
   * `EPIPE` says that the peer's FIN had come before it broke: all it sent can still be read. Any other error
   * (`ECONNRESET`) says that it was cut short.
   */
  #writeFailed(error: IoError): void {
    if (this.closed) return;
    if (error.code !== "EPIPE" || this.#finSeen || this.#finishing) {
      this.#close(error);
      return;
    }
    this.#broken = error;
    this.#unsent = [];
    this.owner.drained();
  }

  end(): void {
    if (this.#ending || this.closed) return;
    this.#ending = true;
    if (this.#unsent.length === 0) this.#sendFin();
  }

  #sendFin(): void {
    this.#conn.closeWrite().then(() => {
      this.#finSent = true;
      if (this.#finSeen) this.#close(undefined);
    }, this.#onWriteError);
  }

  finish(): void {
    if (this.#unsent.length === 0) this.#close(undefined);
    else this.#finishing = true;
  }

  /** Deno begins a write on its next turn only, and closing at once would drop a reply just written. */
  destroy(): void {
    this.finish();
    if (!this.closed) systemClock.after(LAST_WRITES, () => this.#close(undefined));
  }

  reset(): void {
    this.#close(undefined);
  }

  #close(error: IoError | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.#unsent = [];
    this.#conn.close();
    queueMicrotask(() => this.owner.closed(error));
  }
}

function endpointOf(address: Deno.Addr): Endpoint {
  if ("hostname" in address) return tcpEndpoint(address.hostname, address.port);
  return unixEndpoint("path" in address ? address.path : undefined);
}

function openSocket(conn: Deno.TcpConn | Deno.UnixConn): Socket {
  try {
    if ("setNoDelay" in conn) {
      conn.setNoDelay(true);
      conn.setKeepAlive(true);
    }
  } catch {
    // It broke already, which the first read will say.
  }
  return new StreamSocket(new DenoStream(conn, endpointOf(conn.remoteAddr), endpointOf(conn.localAddr)));
}

type AnyListener = Deno.TcpListener | Deno.UnixListener;

function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It is gone already.
  }
}

class DenoListener implements Listener {
  readonly endpoint: Endpoint;
  readonly #listener: AnyListener;
  readonly #accepted: (socket: Socket) => void;
  #closed = false;
  #paused = false;
  /** Came in while accepts were paused. */
  #held: Deno.TcpConn | Deno.UnixConn | undefined;
  #accepting = false;
  readonly #shortage: Shortage;

  constructor(
    listener: AnyListener,
    endpoint: Endpoint,
    accepted: (socket: Socket) => void,
    tell: ListenOptions["acceptFailed"],
  ) {
    this.#shortage = new Shortage(systemClock, tell);
    this.#listener = listener;
    this.endpoint = endpoint;
    this.#accepted = accepted;
    this.#accept();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#accepted(openSocket(held));
    this.#accept();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held?.close();
    this.#listener.close();
    // Deno removes the file on a later turn, which never comes where the program ends first.
    if (this.endpoint.kind === "unix") removeFile(this.endpoint.path);
  }

  #accept(): void {
    if (this.#accepting || this.#paused || this.#closed) return;
    this.#accepting = true;
    this.#listener.accept().then(
      (conn: Deno.TcpConn | Deno.UnixConn) => this.#take(conn),
      (error) => this.#retry(toIoError(error)),
    );
  }

  #take(conn: Deno.TcpConn | Deno.UnixConn): void {
    this.#accepting = false;
    // One that Deno had accepted before it heard of the close is a client like any other.
    if (this.#paused && !this.#closed) this.#held = conn;
    else this.#accepted(openSocket(conn));
    this.#accept();
  }

  /**
   * A client that broke before it was accepted fails its own accept only, and must not slow the next one's. Any other
   * failure (no descriptor left) is tried again a little later: the client waits in the backlog.
   */
  #retry(error: IoError): void {
    if (this.#closed) return;
    const again = (): void => {
      this.#accepting = false;
      this.#accept();
    };
    if (CLIENT_GONE.has(error.code)) {
      again();
      return;
    }
    this.#shortage.failed(error.code);
    systemClock.after(ACCEPT_RETRY, again);
  }
}

function bind(endpoint: Endpoint, accepted: (socket: Socket) => void, options: ListenOptions): Listener {
  const { reusePort = false, acceptFailed } = options;
  if (endpoint.kind === "unix") {
    return new DenoListener(Deno.listen({ transport: "unix", path: endpoint.path }), endpoint, accepted, acceptFailed);
  }
  // Naming the option without --unstable-net would end the process.
  const shared = reusePort ? { reusePort } : {};
  const { ip: hostname, port } = endpoint;
  const listener = Deno.listen({ hostname, port, tcpBacklog: LISTEN_BACKLOG, ...shared });
  return new DenoListener(listener, endpointOf(listener.addr), accepted, acceptFailed);
}

class DenoConnecting implements Connecting {
  readonly #callbacks: ConnectCallbacks;
  readonly #abort = new AbortController();
  #settled = false;

  constructor(endpoint: Endpoint, callbacks: ConnectCallbacks) {
    this.#callbacks = callbacks;
    this.#dial(endpoint).then(
      (conn) => this.#open(conn),
      (error) => this.#fail(error),
    );
  }

  cancel(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#abort.abort();
  }

  async #dial(endpoint: Endpoint): Promise<Deno.TcpConn | Deno.UnixConn> {
    if (endpoint.kind === "unix") return await Deno.connect({ transport: "unix", path: endpoint.path });
    return await Deno.connect({ hostname: endpoint.ip, port: endpoint.port, signal: this.#abort.signal });
  }

  #open(conn: Deno.TcpConn | Deno.UnixConn): void {
    if (this.#settled) {
      conn.close();
      return;
    }
    this.#settled = true;
    this.#callbacks.connected(openSocket(conn));
  }

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#callbacks.failed(toIoError(error));
  }
}

const files: UnixPath = {
  isSocket: (path) => Deno.lstatSync(path).isSocket === true,
  remove: (path) => Deno.removeSync(path),
};

/** Sockets by `Deno.listen` and `Deno.connect`. */
export const denoAdapter: Adapter = {
  name: "deno",
  capabilities: {
    reset: false,
    detectsReset: true,
    pauseAccepts: true,
    bind: false,
    fastOpen: false,
    userTimeout: false,
    // Needs --unstable-net, which shows in what else that flag brings; to try it without would end the process.
    reusePort: "listenDatagram" in Deno,
  },
  clock: systemClock,
  abandonedConnects: 0,
  listen: (endpoint, accepted, options = {}) =>
    bindOverStale(denoAdapter, endpoint, files, () => bind(endpoint, accepted, options)),
  connect: (endpoint, callbacks) => new DenoConnecting(endpoint, callbacks),
  relay: relayStreams,
};
