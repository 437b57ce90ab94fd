/**
 * Servers for the proxy to reach: raw sockets that record what they get, and endpoints where nobody answers.
 */

import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { connectOptions, Peer } from "./peer.ts";
import { Changes, DEADLINE, type Scope } from "./waiting.ts";

export interface OriginOptions {
  /** Where to listen; `127.0.0.1:0` if absent. */
  readonly address?: string;
  /** Called for each connection. */
  readonly accept?: (peer: Peer, origin: Origin) => void;
  /** Connections start stalled. */
  readonly stalled?: boolean;
}

export class Origin {
  /** `127.0.0.1:1234`, `[::1]:1234` or `unix:/path`. */
  readonly address: string;
  readonly port: number;
  /** Every connection, oldest first. */
  readonly peers: Peer[] = [];
  readonly #server: net.Server;
  readonly #changes = new Changes();
  #taken = 0;

  constructor(server: net.Server, address: string, port: number) {
    this.#server = server;
    this.address = address;
    this.port = port;
  }

  add(peer: Peer): void {
    this.peers.push(peer);
    this.#changes.notify();
  }

  /** The next connection that nobody took yet. */
  async next(deadline = DEADLINE): Promise<Peer> {
    const peer = await this.#changes.until(
      `a connection to ${this.address} (${this.peers.length} so far)`,
      () => this.peers[this.#taken],
      deadline,
    );
    this.#taken++;
    return peer;
  }

  close(): void {
    this.#server.close();
    for (const peer of this.peers) peer.destroy();
  }
}

export async function startOrigin(scope: Scope, options: OriginOptions = {}): Promise<Origin> {
  const address = options.address ?? "127.0.0.1:0";
  const server = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: options.stalled ?? false });
  await listen(server, address);
  const bound = server.address();
  const port = bound !== null && typeof bound === "object" ? bound.port : 0;
  const origin = new Origin(server, port === 0 ? address : address.replace(/\d+$/, String(port)), port);
  server.on("connection", (socket) => {
    const peer = new Peer(socket);
    if (options.stalled) peer.stall();
    origin.add(peer);
    options.accept?.(peer, origin);
  });
  scope.after(() => origin.close());
  return origin;
}

function listen(server: net.Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...connectOptions(address), backlog: 4096 }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Sends back what it gets, and FIN for FIN. */
export function echo(peer: Peer): void {
  peer.socket.pipe(peer.socket);
}

/** Says `text` at once, and FIN when the client has finished. */
export function greet(text: string): (peer: Peer) => void {
  return (peer) => {
    peer.send(text);
    peer.socket.on("end", () => peer.finish());
  };
}

/** A directory for `unix:` sockets, log files, configurations. */
export function temporaryDirectory(scope: Scope): string {
  const directory = mkdtempSync(join(tmpdir(), "certless-"));
  scope.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** An endpoint of which a connect is refused. */
export async function refusing(scope: Scope, host = "127.0.0.1"): Promise<string> {
  // Held by a socket that is bound but does not listen, no other process can be given the port.
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen({ host, port: 0 }, resolve));
  const { port } = server.address() as net.AddressInfo;
  const accepted = new Promise<net.Socket>((resolve) => server.once("connection", resolve));
  const holder = new net.Socket();
  await new Promise<void>((resolve, reject) => {
    holder.once("error", reject);
    holder.connect({ host, port }, resolve);
  });
  const held = await accepted;
  server.close();
  scope.after(() => {
    holder.destroy();
    held.destroy();
  });
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

const NEVER_ACCEPTS = `
const { parentPort, workerData } = require("node:worker_threads");
const server = require("node:net").createServer();
server.on("error", (error) => parentPort.postMessage({ error: error.code }));
server.listen({ host: workerData.host, port: workerData.port, backlog: 1 }, () => {
  parentPort.postMessage({ port: server.address().port });
  // The thread stands still from here on, so nothing is ever accepted.
  Atomics.wait(new Int32Array(workerData.shared), 0, 0);
});
`;

export interface Blackhole {
  readonly address: string;
  readonly port: number;
  /** Stops listening: connects under way are refused from now on. */
  close(): Promise<void>;
}

/** An endpoint of which a connect gets no answer: it listens, accepts nothing, and its backlog is full. */
export async function startBlackhole(scope: Scope, host = "127.0.0.1", port = 0): Promise<Blackhole> {
  const shared = new SharedArrayBuffer(4);
  const worker = new Worker(NEVER_ACCEPTS, { eval: true, workerData: { host, port, shared } });
  const fillers: net.Socket[] = [];
  const close = async (): Promise<void> => {
    for (const filler of fillers) filler.destroy();
    Atomics.notify(new Int32Array(shared), 0);
    await worker.terminate();
  };
  scope.after(close);
  const answer = await new Promise<{ port?: number; error?: string }>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  if (answer.port === undefined) throw new Error(`cannot listen on ${host}: ${answer.error}`);
  const bound = answer.port;
  while (await fill(host, bound, fillers));
  return { address: host.includes(":") ? `[${host}]:${bound}` : `${host}:${bound}`, port: bound, close };
}

/** Whether one more connection went in. */
function fill(host: string, port: number, fillers: net.Socket[]): Promise<boolean> {
  const socket = net.connect({ host, port });
  fillers.push(socket);
  return new Promise((resolve, reject) => {
    // A full backlog shows only by silence. This one goes on trying: it keeps the backlog full.
    const timer = setTimeout(() => resolve(false), 150);
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(true);
    });
    socket.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** Whether this machine has the IPv6 loopback. */
export async function hasIpv6(): Promise<boolean> {
  const server = net.createServer();
  return await new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ host: "::1", port: 0 }, () => server.close(() => resolve(true)));
  });
}
