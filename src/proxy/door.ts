/**
 * The door of the proxy: `limits.connections`, one limit for all workers.
 *
 * Owns: whether there is room for one more, when listeners pause, and the clients that were accepted before this worker
 * knew that others had filled the house: they wait here as they would in the kernel's queue. It must not serve anybody.
 */

import type { Adapter, Listener, Socket, SocketHandlers } from "../adapter.ts";
import type { OpenCount } from "../limits/open_count.ts";

/** Part of the limit below which it counts as over: one line in the log, not one for each connection. */
const ROOM = 0.95;

export interface DoorParts {
  readonly adapter: Adapter;
  readonly count: OpenCount;
  /** All of them together. */
  readonly listeners: Pick<Listener, "pause" | "resume">;
  /** Other workers may have room again. */
  readonly tellRoom: () => void;
  readonly warn: (message: string) => void;
}

/** Serves a socket that was accepted. */
export type Serve = (socket: Socket) => void;

export class Door {
  readonly #parts: DoorParts;
  #limit: number;
  #full = false;
  #outside: WaitingClient[] = [];

  constructor(parts: DoorParts, limit: number) {
    this.#parts = parts;
    this.#limit = limit;
  }

  /** What abandoned connects take of the connections' descriptors: one where a connection takes two. */
  get #abandoned(): number {
    return Math.ceil(this.#parts.adapter.abandonedConnects / 2);
  }

  get #load(): number {
    return this.#parts.count.total + this.#abandoned;
  }

  /** Another configuration is in force, perhaps with other listeners. */
  setLimit(limit: number): void {
    this.#limit = limit;
    if (this.#full) this.#parts.listeners.pause();
    this.look();
  }

  /** Beyond half the limit. */
  get isCrowded(): boolean {
    return this.#load > this.#limit / 2;
  }

  /** One more has come: whether there is room, or it has to wait and `keep` takes it. Unless it waits, it is counted. */
  enter(): "room" | "full" | "waits" {
    const { count, adapter } = this.#parts;
    if (count.enter(this.#limit - this.#abandoned)) return "room";
    // Nobody is told when an abandoned connect has ended: then there is no waiting.
    if (adapter.capabilities.pauseAccepts && this.#abandoned === 0) return "waits";
    count.enter(Infinity);
    return "full";
  }

  /** Keeps one that has to wait; it is served when it may `enter` anew. */
  keep(socket: Socket, serve: Serve): void {
    this.#outside.push(new WaitingClient(socket, serve));
    this.#shut();
  }

  leave(): void {
    this.#parts.count.leave();
    if (this.#full || this.#parts.count.isAwaited) this.look();
  }

  /** Pauses the listeners or lets them go on, as there is room. */
  look(): void {
    if (this.#load >= this.#limit) this.#shut();
    else if (this.#hasRoom) this.#open();
  }

  get #hasRoom(): boolean {
    return this.#load <= this.#limit * ROOM;
  }

  #shut(): void {
    if (this.#full) return;
    this.#full = true;
    const { count, listeners, warn } = this.#parts;
    count.setWaiting(true);
    if (count.fill()) warn(`limits.connections reached: ${count.total} connections are open`);
    listeners.pause();
    // Who left before it was known that this worker waits has told nobody.
    if (this.#hasRoom) this.#open();
  }

  #open(): void {
    const { count, listeners, tellRoom } = this.#parts;
    if (count.clear()) tellRoom();
    if (!this.#full) return;
    this.#full = false;
    count.setWaiting(false);
    listeners.resume();
    for (const client of this.#outside.splice(0)) client.serve();
  }

  /** Nobody is let in any more. */
  close(): void {
    for (const client of this.#outside.splice(0)) client.sendAway();
  }
}

/** Accepted, and not served yet. */
class WaitingClient implements SocketHandlers {
  readonly #socket: Socket;
  readonly #serve: Serve;
  #closed = false;

  constructor(socket: Socket, serve: Serve) {
    this.#socket = socket;
    this.#serve = serve;
    socket.handlers = this;
  }

  /** Nothing is read: neither bytes nor FIN come. */
  received(): void {}
  ended(): void {}

  closed(): void {
    this.#closed = true;
  }

  serve(): void {
    if (!this.#closed) this.#serve(this.#socket);
  }

  sendAway(): void {
    if (!this.#closed) this.#socket.destroy();
  }
}
