/**
 * The other ends of an adapter's sockets in its tests: clients and servers by `node:net`, which all three runtimes have.
 *
 * Owns: peers, the recorder of a socket's events, and waiting with a deadline.
 */

import assert from "node:assert/strict";
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type {
  Adapter,
  ConnectOptions,
  Listener,
  ListenOptions,
  Relay,
  RelayEnd,
  RelayOptions,
  Socket,
  SocketHandlers,
} from "../../src/adapter.ts";
import type { Endpoint } from "../../src/address.ts";
import type { IoError } from "../../src/errors.ts";

export const LOOPBACK: Endpoint = { kind: "tcp", ip: "127.0.0.1", port: 0 };
/** Milliseconds; a test that comes near is broken. */
const DEADLINE = 10_000;

/** Waits until `condition` holds. */
export async function until(condition: () => boolean, what: string, deadline = DEADLINE): Promise<void> {
  const end = performance.now() + deadline;
  while (!condition()) {
    if (performance.now() > end) assert.fail(`not in ${deadline} ms: ${what}`);
    await delay(2);
  }
}

/** Waits until `value` has not changed for `quiet` ms. */
export async function untilStill(value: () => number, quiet = 250): Promise<number> {
  let last = value();
  let since = performance.now();
  const end = since + DEADLINE;
  while (performance.now() - since < quiet) {
    assert.ok(performance.now() < end, "it never stood still");
    await delay(10);
    if (value() === last) continue;
    last = value();
    since = performance.now();
  }
  return last;
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** One end of a connection, on the far side of the adapter. */
export class Peer {
  readonly socket: net.Socket;
  text = "";
  bytes = 0;
  sent = 0;
  ended = false;
  closed = false;
  error: string | undefined;
  /** Set to keep a hash of what comes rather than its text. */
  hash: Hash | undefined;

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
    socket.on("end", () => {
      this.ended = true;
    });
    socket.on("close", () => {
      this.closed = true;
    });
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
  }

  #take(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    if (this.hash !== undefined) this.hash.update(chunk);
    else if (this.text.length < 65_536) this.text += Buffer.from(chunk).toString("latin1");
  }

  send(text: string): void {
    this.socket.write(text);
    this.sent += text.length;
  }

  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Sends `total` bytes as fast as they are taken, until the socket breaks; returns their hash. */
  async pour(total: number, seed: number): Promise<string> {
    const hash = createHash("sha256");
    const block = new Uint8Array(65_536).map((_, index) => (index * 31 + seed) & 0xff);
    for (let left = total, round = 0; left > 0 && !this.closed; round++) {
      block[0] = round & 0xff;
      const chunk = new Uint8Array(block.subarray(0, Math.min(left, block.length)));
      hash.update(chunk);
      left -= chunk.length;
      this.sent += chunk.length;
      if (!this.socket.write(chunk)) await drained(this.socket);
    }
    return hash.digest("hex");
  }

  /** Sends `total` bytes, always the same block, so that the sender itself takes no memory. */
  async offer(total: number): Promise<void> {
    const block = new Uint8Array(50_000);
    for (let left = total; left > 0 && !this.closed; left -= block.length) {
      if (!this.socket.write(block)) await drained(this.socket);
    }
  }
}

function drained(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      socket.off("drain", settle).off("close", settle);
      resolve();
    };
    socket.on("drain", settle).on("close", settle);
  });
}

/** A server that hands out its connections in the order they come. */
export class PeerServer {
  readonly endpoint: Endpoint;
  readonly peers: Peer[] = [];
  readonly #server: net.Server;

  private constructor(server: net.Server, endpoint: Endpoint) {
    this.#server = server;
    this.endpoint = endpoint;
    server.on("connection", (socket) => this.peers.push(new Peer(socket)));
  }

  static async start(path?: string): Promise<PeerServer> {
    const server = net.createServer({ allowHalfOpen: true });
    server.listen(path === undefined ? { host: "127.0.0.1", port: 0 } : { path });
    await once(server, "listening");
    const address = server.address();
    if (path !== undefined || address === null || typeof address === "string") {
      return new PeerServer(server, { kind: "unix", path: path ?? "" });
    }
    return new PeerServer(server, { kind: "tcp", ip: "127.0.0.1", port: address.port });
  }

  async next(): Promise<Peer> {
    await until(() => this.peers.length > 0, "a connection to the server");
    return this.peers.shift()!;
  }

  close(): void {
    this.#server.close();
    for (const peer of this.peers) peer.destroy();
  }
}

export async function dial(endpoint: Endpoint): Promise<Peer> {
  const target = endpoint.kind === "unix" ? { path: endpoint.path } : { host: endpoint.ip, port: endpoint.port };
  const socket = net.connect({ ...target, allowHalfOpen: true });
  const peer = new Peer(socket);
  await until(() => !socket.connecting || peer.closed, "the client's connection");
  assert.equal(peer.error, undefined);
  return peer;
}

/** Writes down what a socket reports. */
export class Recorder implements SocketHandlers {
  readonly socket: Socket;
  readonly events: string[] = [];
  text = "";
  bytes = 0;
  error: IoError | undefined;
  /** Ask for more after each answer. */
  greedy = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.handlers = this;
  }

  received(bytes: Uint8Array): void {
    assert.ok(bytes.length > 0, "received without bytes");
    this.events.push("received");
    this.bytes += bytes.length;
    if (this.text.length < 65_536) this.text += Buffer.from(bytes).toString("latin1");
    if (this.greedy) this.socket.read();
  }

  ended(): void {
    this.events.push("ended");
  }

  closed(error: IoError | undefined): void {
    this.events.push("closed");
    this.error = error;
  }

  count(event: string): number {
    return this.events.filter((name) => name === event).length;
  }

  async saw(event: string): Promise<void> {
    await until(() => this.events.includes(event), `the socket's ${event}, seen: ${this.events.join(" ")}`);
  }
}

/** What a test has open, closed when it is over. */
export class Bench {
  readonly adapter: Adapter;
  readonly #cleanups: (() => void)[] = [];
  readonly accepted: Socket[] = [];

  constructor(adapter: Adapter) {
    this.adapter = adapter;
  }

  cleanup(task: () => void): void {
    this.#cleanups.push(task);
  }

  close(): void {
    for (const task of this.#cleanups.splice(0).reverse()) task();
  }

  async listen(endpoint: Endpoint = LOOPBACK, options?: ListenOptions): Promise<Listener> {
    const accepted = (socket: Socket): void => {
      this.accepted.push(socket);
      this.cleanup(() => socket.reset());
    };
    const listener = await this.adapter.listen(endpoint, accepted, options);
    this.cleanup(() => listener.close());
    return listener;
  }

  async server(path?: string): Promise<PeerServer> {
    const server = await PeerServer.start(path);
    this.cleanup(() => server.close());
    return server;
  }

  async dial(endpoint: Endpoint): Promise<Peer> {
    const peer = await dial(endpoint);
    this.cleanup(() => peer.destroy());
    return peer;
  }

  /** The next socket that the adapter accepted. */
  async next(): Promise<Socket> {
    await until(() => this.accepted.length > 0, "an accepted socket");
    return this.accepted.shift()!;
  }

  connect(endpoint: Endpoint, options?: ConnectOptions): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const connected = (socket: Socket): void => {
        this.cleanup(() => socket.reset());
        resolve(socket);
      };
      this.adapter.connect(endpoint, { connected, failed: reject }, options);
    });
  }

  /** A client of the adapter, and the adapter's socket for it. */
  async pair(): Promise<{ peer: Peer; socket: Socket; recorder: Recorder }> {
    const listener = await this.listen();
    const peer = await this.dial(listener.endpoint);
    const socket = await this.next();
    return { peer, socket, recorder: new Recorder(socket) };
  }

  /** Client, relay, server. */
  async relay(options: Partial<RelayOptions> = {}): Promise<Joined> {
    const { peer: client, socket } = await this.pair();
    const origin = await this.server();
    const toServer = await this.connect(origin.endpoint);
    const server = await origin.next();
    this.cleanup(() => server.destroy());
    return this.join(client, socket, server, toServer, options);
  }

  join(client: Peer, socket: Socket, server: Peer, toServer: Socket, options: Partial<RelayOptions>): Joined {
    const ends: RelayEnd[] = [];
    const owner = { relayDone: (end: RelayEnd) => void ends.push(end) };
    const relay = this.adapter.relay(socket, toServer, { head: new Uint8Array(0), ...options }, owner);
    this.cleanup(() => relay.cut());
    return { client, server, relay, ends };
  }
}

export interface Joined {
  readonly client: Peer;
  readonly server: Peer;
  readonly relay: Relay;
  /** What `done` was called with. */
  readonly ends: RelayEnd[];
}

export async function finished(joined: Joined, settle = 20): Promise<RelayEnd> {
  await until(() => joined.ends.length > 0, "the relay's done");
  await delay(settle);
  assert.equal(joined.ends.length, 1, "done is called once");
  return joined.ends[0]!;
}
