/**
 * The adapter of Bun's own sockets, `Bun.listen` and `Bun.connect`.
 *
 * Owns: `Bun.Socket` as a `Stream`, listen and connect. It takes no decision about a connection.
 *
 * Known of the runtime: Bun cannot stop accepting, so `pauseAccepts` is false, and its backlog is 512. It names most
 * failed connects `ECONNREFUSED`. It offers no way to give up a connect, so a cancelled one keeps its
 * descriptor until the system gives up (about two minutes), or until it opens and is closed at once.
 */

import { lstatSync, unlinkSync } from "node:fs";
import process from "node:process";
import type { Adapter, ConnectCallbacks, Connecting, Listener, Socket } from "../src/adapter.ts";
import type { Endpoint } from "../src/address.ts";
import type { IoError } from "../src/errors.ts";
import { systemClock } from "./clock.ts";
import { tcpEndpoint, unixEndpoint } from "./shared/endpoint.ts";
import { toIoError } from "./shared/io_error.ts";
import { relayStreams } from "./shared/relay.ts";
import { StreamSocket } from "./shared/socket.ts";
import { KEEPALIVE_IDLE, NO_OWNER, type Stream, type StreamOwner } from "./shared/stream.ts";
import { bindOverStale, type UnixPath } from "./shared/unix_path.ts";

/** What a socket carries: its stream, and before that the connect that opens it. */
type Carried = BunStream | BunConnecting | undefined;
type BunSocket = Bun.Socket<Carried>;

/**
 * A write failed, for a cause that Bun does not tell, and that will not be told any more by reading: the peer's RST
 * comes as `end`. Before the peer's FIN was seen it is taken for what it most likely is.
 */
const BROKEN: IoError = { code: "ECONNRESET", message: "the peer had closed the connection" };
const BROKEN_AFTER_FIN: IoError = { code: "EPIPE", message: "the peer had closed the connection" };

class BunStream implements Stream {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  owner: StreamOwner = NO_OWNER;
  closed = false;
  readonly #socket: BunSocket;
  /** What the system did not take yet, oldest first. */
  #unsent: Uint8Array[] = [];
  #wantsBytes = false;
  #paused = false;
  /** FIN is to be sent behind what is unsent. */
  #ending = false;
  #finSent = false;
  #finSeen = false;
  /** To be closed behind what is unsent. */
  #finishing = false;
  #broken: IoError | undefined;
  /** Inside `destroy` or `reset`, where Bun reports the close before it returns. */
  #closing = false;

  constructor(socket: BunSocket, remote: Endpoint, local: Endpoint) {
    this.#socket = socket;
    this.remote = remote;
    this.local = local;
    socket.data = this;
    socket.setKeepAlive(true, KEEPALIVE_IDLE);
  }

  resume(): void {
    this.#wantsBytes = true;
    if (!this.#paused || this.closed) return;
    this.#paused = false;
    this.#socket.resume();
  }

  pause(): void {
    this.#wantsBytes = false;
    this.settle();
  }

  /** Bun's sockets start flowing: one that nobody wants to read is stopped here. */
  settle(): void {
    if (this.#wantsBytes || this.#paused || this.closed) return;
    this.#paused = true;
    this.#socket.pause();
  }

  write(bytes: Uint8Array): boolean {
    if (this.closed || this.#ending || this.#finishing) return true;
    if (this.#unsent.length > 0) {
      this.#unsent.push(bytes);
      return false;
    }
    const sent = this.#send(bytes);
    if (sent === bytes.length) return true;
    this.#unsent.push(bytes.subarray(sent));
    return false;
  }

  /** A broken socket takes everything, to nowhere: Bun reports its end by `end` and `close` a little later. */
  #send(bytes: Uint8Array): number {
    const sent = this.#broken === undefined ? this.#socket.write(bytes) : -1;
    if (sent >= 0) return sent;
    this.#broken ??= this.#finSeen ? BROKEN_AFTER_FIN : BROKEN;
    return bytes.length;
  }

  /** The system takes bytes again. */
  drain(): void {
    while (this.#unsent.length > 0) {
      const bytes = this.#unsent[0]!;
      const sent = this.#send(bytes);
      if (sent < bytes.length) {
        this.#unsent[0] = bytes.subarray(sent);
        return;
      }
      this.#unsent.shift();
      if (this.#unsent.length === 0) this.#drained();
    }
  }

  #drained(): void {
    if (this.#finishing) this.destroy();
    else if (this.#ending) this.#sendFin();
    this.owner.drained();
  }

  end(): void {
    if (this.#ending || this.closed) return;
    this.#ending = true;
    if (this.#unsent.length === 0) this.#sendFin();
  }

  #sendFin(): void {
    this.#finSent = true;
    this.#socket.shutdown();
    if (this.#finSeen) this.destroy();
  }

  finish(): void {
    if (this.#unsent.length === 0) this.destroy();
    else this.#finishing = true;
  }

  destroy(): void {
    if (this.closed) return;
    this.#closing = true;
    this.#socket.end();
    this.#closing = false;
  }

  reset(): void {
    if (this.closed) return;
    this.#closing = true;
    this.#socket.terminate();
    this.#closing = false;
  }

  finCame(): void {
    this.#finSeen = true;
    this.owner.ended();
    if (this.#finSent) this.destroy();
  }

  close(error: Error | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.#unsent = [];
    // Once our FIN is out, Bun reports the peer's FIN as the close that it brings about.
    if (error === undefined && !this.#closing && this.#finSent && !this.#finSeen) this.owner.ended();
    const cause = error === undefined ? this.#broken : toIoError(error);
    if (this.#closing) queueMicrotask(() => this.owner.closed(cause));
    else this.owner.closed(cause);
  }
}

function streamOf(socket: BunSocket): BunStream | undefined {
  return socket.data instanceof BunStream ? socket.data : undefined;
}

/** One set for all sockets. */
const HANDLERS: Bun.SocketHandler<Carried> = {
  data: (socket, bytes) => streamOf(socket)?.owner.received(bytes),
  drain: (socket) => streamOf(socket)?.drain(),
  end: (socket) => streamOf(socket)?.finCame(),
  close: (socket, error) => streamOf(socket)?.close(error),
};

/** `undefined` where the peer is gone already, so that the system cannot say any more who it was. */
function openStream(socket: BunSocket, unixPath: string | undefined, accepted: boolean): BunStream | undefined {
  if (unixPath !== undefined) {
    const [remote, local] = accepted ? [undefined, unixPath] : [unixPath, undefined];
    return new BunStream(socket, unixEndpoint(remote), unixEndpoint(local));
  }
  const remoteAddress: string | undefined = socket.remoteAddress;
  const localAddress: string | undefined = socket.localAddress;
  if (remoteAddress === undefined || localAddress === undefined) return undefined;
  const local = tcpEndpoint(localAddress, socket.localPort);
  return new BunStream(socket, tcpEndpoint(remoteAddress, socket.remotePort), local);
}

class BunListener implements Listener {
  readonly endpoint: Endpoint;
  readonly #listener: Bun.SocketListener<Carried>;

  constructor(listener: Bun.SocketListener<Carried>, endpoint: Endpoint) {
    this.#listener = listener;
    this.endpoint = endpoint;
  }

  pause(): void {}

  resume(): void {}

  close(): void {
    this.#listener.stop();
  }
}

function bind(endpoint: Endpoint, accepted: (socket: Socket) => void, reusePort: boolean): Listener {
  const path = endpoint.kind === "unix" ? endpoint.path : undefined;
  const open = (socket: BunSocket): void => {
    const stream = openStream(socket, path, true);
    if (stream === undefined) {
      socket.terminate();
      return;
    }
    accepted(new StreamSocket(stream));
    stream.settle();
  };
  const options = { allowHalfOpen: true, socket: { ...HANDLERS, open } };
  if (endpoint.kind === "unix") return new BunListener(Bun.listen({ ...options, unix: endpoint.path }), endpoint);
  // The option works, though its type has it for `Bun.connect` alone.
  const shared: object = { reusePort };
  const listener = Bun.listen<Carried>({ ...options, ...shared, hostname: endpoint.ip, port: endpoint.port });
  return new BunListener(listener, { ...endpoint, port: listener.port });
}

/** Bun has no way to give up a connect: its descriptor stays until the system's own timeout. */
let abandonedConnects = 0;

class BunConnecting implements Connecting {
  readonly #callbacks: ConnectCallbacks;
  readonly #unixPath: string | undefined;
  #settled = false;
  #abandoned = false;
  /** `Bun.connect` has not returned: what it reports must wait. */
  #starting = true;

  constructor(endpoint: Endpoint, callbacks: ConnectCallbacks) {
    this.#callbacks = callbacks;
    this.#unixPath = endpoint.kind === "unix" ? endpoint.path : undefined;
    this.#dial(endpoint).catch((error) => this.fail(error));
    this.#starting = false;
  }

  async #dial(endpoint: Endpoint): Promise<void> {
    const options = { allowHalfOpen: true, data: this, socket: CONNECT_HANDLERS };
    if (endpoint.kind === "unix") await Bun.connect<Carried>({ ...options, unix: endpoint.path });
    else await Bun.connect<Carried>({ ...options, hostname: endpoint.ip, port: endpoint.port });
  }

  cancel(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#abandoned = true;
    abandonedConnects++;
  }

  /** The system has answered, though nobody asks any more. */
  #ended(): void {
    if (!this.#abandoned) return;
    this.#abandoned = false;
    abandonedConnects--;
  }

  open(socket: BunSocket): void {
    this.#ended();
    const stream = this.#settled ? undefined : openStream(socket, this.#unixPath, false);
    if (stream === undefined) {
      socket.data = undefined;
      socket.terminate();
      this.fail({ code: "ECONNRESET", message: "the connection broke as it opened" });
      return;
    }
    if (this.#starting) queueMicrotask(() => this.#connected(stream));
    else this.#connected(stream);
  }

  #connected(stream: BunStream): void {
    if (this.#settled) {
      stream.reset();
      return;
    }
    this.#settled = true;
    this.#callbacks.connected(new StreamSocket(stream));
    stream.settle();
  }

  fail(error: unknown): void {
    this.#ended();
    if (this.#settled) return;
    if (this.#starting) {
      queueMicrotask(() => this.fail(error));
      return;
    }
    this.#settled = true;
    this.#callbacks.failed(toIoError(error));
  }
}

const CONNECT_HANDLERS: Bun.SocketHandler<Carried> = {
  ...HANDLERS,
  open: (socket) => (socket.data as BunConnecting).open(socket),
  connectError: (socket, error) => (socket.data as BunConnecting).fail(error),
};

const files: UnixPath = {
  isSocket: (path) => lstatSync(path).isSocket(),
  remove: unlinkSync,
};

/** Sockets by `Bun.listen` and `Bun.connect`. */
export const bunAdapter: Adapter = {
  name: "bun",
  capabilities: {
    reset: true,
    detectsReset: true,
    pauseAccepts: false,
    // Nor has Bun a way to accept from a descriptor.
    reusePort: process.platform === "linux",
    bind: false,
    fastOpen: false,
    userTimeout: false,
  },
  clock: systemClock,
  get abandonedConnects() {
    return abandonedConnects;
  },
  listen: (endpoint, accepted, { reusePort = false } = {}) =>
    bindOverStale(bunAdapter, endpoint, files, () => bind(endpoint, accepted, reusePort)),
  connect: (endpoint, callbacks) => new BunConnecting(endpoint, callbacks),
  relay: relayStreams,
};
