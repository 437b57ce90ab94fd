/**
 * The adapter of Node's own sockets, `node:net`.
 *
 * Owns: `net.Socket` as a `Stream`, listen and connect. It takes no decision about a connection.
 *
 * Known of the runtime: Node cannot stop accepting, so `pauseAccepts` is false. It destroys a socket whose write
 * failed together with what was not read of it yet, so the tail of an answer can be lost when the server closes
 * while the client, slow to read, is still sending.
 */

import { lstatSync, unlinkSync } from "node:fs";
import net from "node:net";
import process from "node:process";
import type { Adapter, ConnectCallbacks, Connecting, ConnectOptions, Listener, Socket } from "../src/adapter.ts";
import type { Endpoint } from "../src/address.ts";
import type { IoError } from "../src/errors.ts";
import { systemClock } from "./clock.ts";
import { localAddress, tcpEndpoint, unixEndpoint } from "./shared/endpoint.ts";
import { toIoError } from "./shared/io_error.ts";
import { joinListeners } from "./shared/joined_listeners.ts";
import { relayStreams } from "./shared/relay.ts";
import { StreamSocket } from "./shared/socket.ts";
import { KEEPALIVE_IDLE, LISTEN_BACKLOG, NO_OWNER, type Stream, type StreamOwner } from "./shared/stream.ts";
import { bindOverStale, type UnixPath } from "./shared/unix_path.ts";

const STREAM = Symbol("stream");

/** A socket that knows its stream, so that one set of listeners serves all sockets. */
type OwnedSocket = net.Socket & { [STREAM]?: NodeStream };

function onData(this: OwnedSocket, bytes: Uint8Array): void {
  this[STREAM]?.owner.received(bytes);
}

function onEnd(this: OwnedSocket): void {
  this[STREAM]?.owner.ended();
}

function onDrain(this: OwnedSocket): void {
  this[STREAM]?.drain();
}

function onError(this: OwnedSocket, error: Error): void {
  this[STREAM]?.fail(error);
}

function onClose(this: OwnedSocket): void {
  this[STREAM]?.close();
}

class NodeStream implements Stream {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  owner: StreamOwner = NO_OWNER;
  closed = false;
  readonly #socket: OwnedSocket;
  #error: IoError | undefined;
  /** A `write` returned false and `drained` is owed. */
  #blocked = false;

  constructor(socket: OwnedSocket, remote: Endpoint, local: Endpoint) {
    this.#socket = socket;
    this.remote = remote;
    this.local = local;
    socket[STREAM] = this;
    socket.pause();
    socket.on("data", onData).on("end", onEnd).on("drain", onDrain).on("close", onClose);
  }

  resume(): void {
    if (!this.closed) this.#socket.resume();
  }

  pause(): void {
    if (!this.closed) this.#socket.pause();
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    // `write` says false at the high-water mark even when the system took every byte at once.
    if (!socket.writable || socket.write(bytes) || socket.writableLength === 0) return true;
    this.#blocked = true;
    return false;
  }

  drain(): void {
    if (!this.#blocked || this.#socket.writableLength > 0) return;
    this.#blocked = false;
    this.owner.drained();
  }

  end(): void {
    this.#socket.end();
  }

  finish(): void {
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  reset(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    // The system refuses RST on a socket whose FIN is just being sent, and there is none on a unix socket.
    const finishing = socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished;
    if (finishing || this.remote.kind === "unix") socket.destroy();
    else socket.resetAndDestroy();
  }

  fail(error: Error): void {
    this.#error ??= toIoError(error);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.owner.closed(this.#error);
  }
}

/** `undefined` where the peer is gone already, so that the system cannot say any more who it was. */
function openSocket(socket: net.Socket, unixPath: string | undefined, accepted: boolean): Socket | undefined {
  socket.on("error", onError);
  if (unixPath !== undefined) {
    const [remote, local] = accepted ? [undefined, unixPath] : [unixPath, undefined];
    return new StreamSocket(new NodeStream(socket, unixEndpoint(remote), unixEndpoint(local)));
  }
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (
    remoteAddress === undefined ||
    remotePort === undefined ||
    localAddress === undefined ||
    localPort === undefined
  ) {
    socket.destroy();
    return undefined;
  }
  const remote = tcpEndpoint(remoteAddress, remotePort);
  return new StreamSocket(new NodeStream(socket, remote, tcpEndpoint(localAddress, localPort)));
}

class NodeListener implements Listener {
  readonly endpoint: Endpoint;
  readonly #server: net.Server;

  constructor(server: net.Server, endpoint: Endpoint) {
    this.#server = server;
    this.endpoint = endpoint;
  }

  pause(): void {}

  resume(): void {}

  close(): void {
    this.#server.close();
  }
}

/** @param descriptor of a socket that listens already, in place of binding one. */
function bind(
  endpoint: Endpoint,
  accepted: (socket: Socket) => void,
  reusePort: boolean,
  descriptor?: number,
): Promise<Listener> {
  const path = endpoint.kind === "unix" ? endpoint.path : undefined;
  const server = net.createServer({
    allowHalfOpen: true,
    pauseOnConnect: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_IDLE,
  });
  server.on("connection", (connection) => {
    const socket = openSocket(connection, path, true);
    if (socket !== undefined) accepted(socket);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const where = descriptor === undefined ? { ...target(endpoint), reusePort } : { fd: descriptor };
    server.listen({ ...where, backlog: LISTEN_BACKLOG, exclusive: true }, () => {
      server.off("error", reject);
      // A failed accept (no descriptor left) must not end the process: the client waits in the backlog.
      server.on("error", () => {});
      resolve(new NodeListener(server, bound(server, endpoint)));
    });
  });
}

function bound(server: net.Server, endpoint: Endpoint): Endpoint {
  const address = server.address();
  if (address === null || typeof address === "string") return endpoint;
  return tcpEndpoint(address.address, address.port);
}

function target(endpoint: Endpoint): { path: string } | { host: string; port: number } {
  return endpoint.kind === "unix" ? { path: endpoint.path } : { host: endpoint.ip, port: endpoint.port };
}

function from(endpoint: Endpoint, bind: ConnectOptions["bind"]): { localAddress?: string } {
  const address = endpoint.kind === "unix" ? undefined : localAddress(endpoint, bind);
  return address === undefined ? {} : { localAddress: address };
}

class NodeConnecting implements Connecting {
  readonly #callbacks: ConnectCallbacks;
  readonly #socket: net.Socket;
  #settled = false;

  constructor(endpoint: Endpoint, callbacks: ConnectCallbacks, { bind }: ConnectOptions) {
    this.#callbacks = callbacks;
    this.#socket = new net.Socket({ allowHalfOpen: true });
    this.#socket.pause();
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.once("connect", () => this.#open(endpoint));
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_IDLE, autoSelectFamily: false };
    try {
      this.#socket.connect({ ...target(endpoint), ...from(endpoint, bind), ...options });
    } catch (error) {
      queueMicrotask(() => this.#fail(error));
    }
  }

  cancel(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#socket.destroy();
  }

  #open(endpoint: Endpoint): void {
    if (this.#settled) return;
    this.#settled = true;
    const socket = openSocket(this.#socket, endpoint.kind === "unix" ? endpoint.path : undefined, false);
    if (socket !== undefined) this.#callbacks.connected(socket);
    else this.#callbacks.failed({ code: "ECONNRESET", message: "the connection broke as it opened" });
  }

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#socket.destroy();
    this.#callbacks.failed(toIoError(error));
  }
}

const files: UnixPath = {
  isSocket: (path) => lstatSync(path).isSocket(),
  remove: unlinkSync,
};

/** Sockets by `node:net`. */
export const nodeAdapter: Adapter = {
  name: "node",
  capabilities: {
    reset: true,
    detectsReset: true,
    pauseAccepts: false,
    // Node refuses it elsewhere.
    reusePort: process.platform === "linux" || process.platform === "freebsd",
    adopts: process.platform !== "win32",
    bind: true,
    fastOpen: false,
    userTimeout: false,
  },
  clock: systemClock,
  abandonedConnects: 0,
  async listen(endpoint, accepted, { reusePort = false, adopt } = {}) {
    if (adopt === undefined) {
      return await bindOverStale(nodeAdapter, endpoint, files, () => bind(endpoint, accepted, reusePort));
    }
    return joinListeners(await Promise.all(adopt.map((fd) => bind(endpoint, accepted, false, fd))));
  },
  connect: (endpoint, callbacks, options = {}) => new NodeConnecting(endpoint, callbacks, options),
  relay: relayStreams,
};
