/**
 * An adapter without a system under it: virtual time, sockets whose peers do as a seed says.
 * It checks the contract's promises from the other side: nobody uses a socket that is gone, everything is closed in the end.
 */

import assert from "node:assert/strict";
import type {
  Adapter,
  Clock,
  ConnectCallbacks,
  Connecting,
  Listener,
  Relay,
  RelayEndReason,
  RelayOptions,
  RelayOwner,
  Socket,
  SocketHandlers,
} from "../../../src/adapter.ts";
import { type Endpoint, formatEndpoint } from "../../../src/address.ts";

const NO_HANDLERS: SocketHandlers = { received() {}, ended() {}, closed() {} };

/** mulberry32: small, and the same everywhere. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

interface Task {
  readonly at: number;
  readonly run: () => void;
}

export class VirtualClock implements Clock {
  #now = 0;
  #tasks: Task[] = [];

  now(): number {
    return this.#now;
  }

  get pending(): number {
    return this.#tasks.length;
  }

  wallTime(): number {
    return 1_700_000_000_000 + this.#now;
  }

  after(delay: number, run: () => void): () => void {
    const task = { at: this.#now + delay, run };
    const index = this.#tasks.findIndex(({ at }) => at > task.at);
    this.#tasks.splice(index < 0 ? this.#tasks.length : index, 0, task);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== task);
    };
  }

  /** Runs what is due, in order, until nothing is left or `until` is reached. */
  run(until = Number.POSITIVE_INFINITY): void {
    for (let task = this.#tasks[0]; task !== undefined && task.at <= until; task = this.#tasks[0]) {
      this.#tasks.shift();
      this.#now = task.at;
      task.run();
    }
    if (until !== Number.POSITIVE_INFINITY) this.#now = until;
  }
}

/** What a client, or a server, does next when it is read from: bytes after a pause, its end, a break, or nothing ever. */
export type ClientEvent =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly delay: number }
  | { readonly kind: "end"; readonly delay: number }
  | { readonly kind: "reset"; readonly delay: number };

export class SimulatedSocket implements Socket {
  readonly local: Endpoint = { kind: "tcp", ip: "10.0.0.5", port: 443 };
  handlers: SocketHandlers = NO_HANDLERS;
  closedCalls = 0;
  ended = false;
  written: Uint8Array[] = [];
  readonly remote: Endpoint;
  readonly #clock: VirtualClock;
  readonly #events: ClientEvent[];
  #reading = false;
  #gone = false;

  constructor(clock: VirtualClock, remote: Endpoint, events: readonly ClientEvent[]) {
    this.#clock = clock;
    this.remote = remote;
    this.#events = [...events];
  }

  get gone(): boolean {
    return this.#gone;
  }

  read(): void {
    if (this.#gone || this.#reading) return;
    const event = this.#events.shift();
    if (event === undefined) return;
    this.#reading = true;
    this.#clock.after(event.delay, () => {
      if (this.#gone) return;
      this.#reading = false;
      if (event.kind === "bytes") this.handlers.received(event.bytes);
      else if (event.kind === "end") this.handlers.ended();
      else this.#close({ code: "ECONNRESET", message: "" });
    });
  }

  write(bytes: Uint8Array): void {
    if (!this.#gone) this.written.push(bytes.slice());
  }

  end(): void {
    this.ended = true;
  }

  reset(): void {
    this.#close(undefined);
  }

  destroy(): void {
    this.#close(undefined);
  }

  #close(error: { code: string; message: string } | undefined): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#clock.after(0, () => {
      this.closedCalls++;
      this.handlers.closed(error);
    });
  }
}

/** How one server takes connects. */
export type ServerBehaviour = "accepts" | "refuses" | "silent" | "throws";

export class SimulatedAdapter implements Adapter {
  readonly name = "simulated";
  readonly capabilities = {
    reset: true,
    detectsReset: true,
    pauseAccepts: true,
    reusePort: true,
    bind: true,
    fastOpen: true,
    userTimeout: true,
  };
  readonly clock = new VirtualClock();
  readonly sockets: SimulatedSocket[] = [];
  readonly relays: { readonly head: Uint8Array; readonly server: Endpoint }[] = [];
  pendingConnects = 0;
  abandonedConnects = 0;
  paused = false;
  behaviour: (endpoint: Endpoint) => ServerBehaviour = () => "accepts";
  /** How long a relay lasts and how it ends; `undefined`: until it is cut. */
  relayEnd: () => { readonly after: number; readonly reason: RelayEndReason } | undefined = () => ({
    after: 10,
    reason: "ended",
  });
  /** What a server does when it is read from before it is relayed. */
  serverEvents: () => readonly ClientEvent[] = () => [{ kind: "bytes", bytes: Uint8Array.of(22), delay: 1 }];
  /** By address. */
  readonly listeners = new Map<string, (socket: Socket) => void>();
  /** An address at which another program listens. */
  taken = "";

  /** Of the first listener; clients may still come from its queue when it is closed. */
  #first: ((socket: Socket) => void) | undefined;

  get listening(): boolean {
    return this.listeners.size > 0;
  }

  async listen(endpoint: Endpoint, accepted: (socket: Socket) => void): Promise<Listener> {
    const text = formatEndpoint(endpoint);
    if (this.listeners.has(text) || text === this.taken) throw { code: "EADDRINUSE", message: "" };
    this.listeners.set(text, accepted);
    this.#first ??= accepted;
    const set = (paused: boolean) => () => {
      this.paused = paused;
    };
    return { endpoint, pause: set(true), resume: set(false), close: () => void this.listeners.delete(text) };
  }

  /** A client connects and will do as told. */
  client(...events: ClientEvent[]): SimulatedSocket {
    return this.clientAt(undefined, ...events);
  }

  /** The same, at this address; undefined: the first one. */
  clientAt(address: string | undefined, ...events: ClientEvent[]): SimulatedSocket {
    const socket = new SimulatedSocket(this.clock, { kind: "tcp", ip: "198.51.100.9", port: 50000 }, events);
    this.sockets.push(socket);
    const accepted = address === undefined ? this.#first : this.listeners.get(address);
    assert.ok(accepted !== undefined, `nobody listens at ${address}`);
    accepted(socket);
    return socket;
  }

  connect(endpoint: Endpoint, callbacks: ConnectCallbacks): Connecting {
    const behaviour = this.behaviour(endpoint);
    if (behaviour === "throws") throw new Error("a fault in the adapter");
    this.pendingConnects++;
    let open = true;
    const finish = (): boolean => {
      if (!open) return false;
      open = false;
      this.pendingConnects--;
      return true;
    };
    if (behaviour === "accepts") this.clock.after(5, () => finish() && callbacks.connected(this.#server(endpoint)));
    if (behaviour === "refuses")
      this.clock.after(5, () => finish() && callbacks.failed({ code: "ECONNREFUSED", message: "" }));
    return { cancel: () => void finish() };
  }

  #server(endpoint: Endpoint): SimulatedSocket {
    const socket = new SimulatedSocket(this.clock, endpoint, this.serverEvents());
    this.sockets.push(socket);
    return socket;
  }

  relay(client: Socket, server: Socket, { head }: RelayOptions, owner: RelayOwner): Relay {
    assert.ok(!(client as SimulatedSocket).gone && !(server as SimulatedSocket).gone, "relay of a socket that is gone");
    const sent = [...(server as SimulatedSocket).written, head].flatMap((bytes) => [...bytes]);
    this.relays.push({ head: Uint8Array.from(sent), server: server.remote });
    for (const socket of [client, server]) socket.handlers = NO_HANDLERS;
    let over = false;
    const end = (reason: RelayEndReason): void => {
      if (over) return;
      over = true;
      client.destroy();
      server.destroy();
      owner.relayDone({ reason });
    };
    const planned = this.relayEnd();
    if (planned !== undefined) this.clock.after(planned.after, () => end(planned.reason));
    return { bytesToServer: head.length, bytesToClient: 0, cut: () => void this.clock.after(0, () => end("cut")) };
  }
}
