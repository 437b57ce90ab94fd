/**
 * One accepted connection: obeys its session's steps with the adapter's sockets.
 *
 * Owns: the client's socket until it is relayed, pending connects, and the closing. It must not decide: the session
 * does. A fault in here ends this connection only.
 */

import type {
  Adapter,
  ConnectCallbacks,
  Connecting,
  ConnectOptions,
  Relay,
  RelayEnd,
  RelayOwner,
  Socket,
  SocketHandlers,
} from "../adapter.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { Timed } from "../deadlines.ts";
import type { IoError } from "../errors.ts";
import type { Reason } from "../reason.ts";
import type { Session } from "../session/session.ts";
import type { Step } from "../session/step.ts";
import { OfferedServer, type OfferOwner } from "./offered_server.ts";

/** Answers once, later: with addresses, or with an error. A callback, since a thread that sleeps in `epoll_wait` runs no promises. */
export type ResolveAnswer = (addresses: readonly string[] | IoError) => void;
export type Resolve = (name: string, answer: ResolveAnswer) => void;

/** What a connection needs of the proxy that accepted it. */
export interface ConnectionOwner {
  readonly adapter: Adapter;
  readonly resolve: Resolve;
  readonly connectOptions: ConnectOptions;
  /** So many connections are open that a rejected one should not stay. */
  readonly isCrowded: boolean;
  setDeadline(connection: Connection, at: number): void;
  /** The session has ended: its record is complete. */
  finished(connection: Connection): void;
  /** Its sockets are closed, too. */
  gone(connection: Connection): void;
  /** Something threw. */
  fault(error: unknown): void;
}

/** After a reply: how long, and for how many bytes, the client's own data is read and dropped, so that no RST overtakes the reply. */
const LINGER = 1_000;
const LINGER_BYTES = 1 << 20;

const IGNORED: SocketHandlers = { received() {}, ended() {}, closed() {} };

export class Connection implements SocketHandlers, RelayOwner, OfferOwner, Timed {
  dueTick = 0;
  dueBefore: Timed | undefined;
  dueAfter: Timed | undefined;
  readonly session: Session;
  readonly #owner: ConnectionOwner;
  readonly #client: Socket;
  /** The latest attempt that is under way; there only while a server is being dialled. */
  #attempt: Attempt | undefined;
  #server: Socket | undefined;
  #relay: Relay | undefined;
  #lingering = -1;
  #gone = false;

  constructor(owner: ConnectionOwner, client: Socket, session: Session) {
    this.#owner = owner;
    this.#client = client;
    this.session = session;
    client.handlers = this;
  }

  /** How far it is. */
  get phase(): "preread" | "connecting" | "relaying" | "closing" {
    if (this.#lingering >= 0) return "closing";
    if (this.#relay !== undefined) return "relaying";
    return this.session.record.route === undefined ? "preread" : "connecting";
  }

  start(): void {
    this.#drive((now) => this.session.start(now));
  }

  // --- what is counted of it ---

  get record(): ConnectionRecord {
    return this.session.record;
  }

  /** Bytes from the client so far; the record has them once it is over. */
  get bytesReceived(): number {
    const { record, headLength } = this.session;
    if (this.#relay === undefined || this.#gone) return record.bytesReceived;
    return record.bytesReceived + Math.max(0, this.#relay.bytesToServer - headLength);
  }

  /** Bytes to the client so far. */
  get bytesSent(): number {
    const { bytesSent } = this.session.record;
    return this.#relay === undefined || this.#gone ? bytesSent : bytesSent + this.#relay.bytesToClient;
  }

  /** Its record is complete. */
  get isOver(): boolean {
    return this.#lingering >= 0 || this.#gone;
  }

  /** From accept until a server was looked for, ms; undefined where none was. */
  get prereadTime(): number | undefined {
    const { prereadTime } = this.session;
    return prereadTime < 0 ? undefined : prereadTime / 1000;
  }

  // --- the client's socket ---

  received(bytes: Uint8Array): void {
    if (this.#lingering >= 0) this.#discard(bytes.length);
    else this.#drive((now) => this.session.received(bytes, now));
  }

  ended(): void {
    if (this.#lingering >= 0) this.#client.destroy();
    else this.#drive((now) => this.session.ended(now));
  }

  closed(error: IoError | undefined): void {
    if (this.#lingering < 0) this.#drive((now) => this.session.clientClosed(error, now));
    this.#leave();
  }

  // --- time, and the proxy's own wishes ---

  timedOut(): void {
    if (this.#lingering >= 0) {
      this.#client.destroy();
      return;
    }
    const moved = this.#relay === undefined ? 0 : this.#relay.bytesToServer + this.#relay.bytesToClient;
    this.#drive((now) => this.session.timedOut(now, moved));
  }

  abort(reason: Reason): void {
    if (this.#lingering >= 0) this.#client.destroy();
    else this.#drive((now) => this.session.abort(reason, now));
  }

  // --- steps ---

  #drive(input: (now: number) => Step): void {
    try {
      this.#obey(input(this.#owner.adapter.clock.now()));
      if (this.#lingering < 0) this.#owner.setDeadline(this, this.session.deadline);
    } catch (error) {
      this.#fault(error);
    }
  }

  #obey(step: Step): void {
    switch (step.kind) {
      case "wait":
        return;
      case "read":
        this.#client.read();
        return;
      case "answer":
        this.#client.write(step.bytes);
        this.#client.read();
        return;
      case "resolve":
        this.#abandon();
        this.#resolve(step.name);
        return;
      case "connect":
        if (!step.alongside) this.#abandon();
        this.#connect(step);
        return;
      case "queue":
        step.place.wake = () => this.#drive((now) => this.session.freed(now));
        this.#client.read();
        return;
      case "exchange":
        this.#cancelPending();
        new OfferedServer(this.#server!, step.bytes, this);
        return;
      case "offer":
        this.#cancelPending();
        new OfferedServer(this.#server!, step.head, this);
        this.#client.read();
        return;
      case "relay":
        this.#startRelay(step);
        return;
      case "cut":
        this.#relay!.cut();
        return;
      case "close":
        this.#cancelPending();
        this.#close(step.reply);
        return;
    }
  }

  #resolve(name: string): void {
    this.#owner.resolve(name, (answer) => {
      this.#drive((now) =>
        "code" in answer ? this.session.resolveFailed(name, answer, now) : this.session.resolved(name, answer, now),
      );
    });
  }

  #connect({ attempt, endpoint }: Extract<Step, { kind: "connect" }>): void {
    const pending = new Attempt(this, attempt, this.#attempt);
    const { adapter, connectOptions } = this.#owner;
    const { bind } = this.session;
    const options = bind === undefined ? connectOptions : { ...connectOptions, bind };
    pending.connecting = adapter.connect(endpoint, pending, options);
    this.#attempt = pending;
  }

  /** Of an attempt. */
  connected(attempt: Attempt, socket: Socket): void {
    this.#settled(attempt);
    this.#server = socket;
    this.#drive((now) => this.session.connected(attempt.number, now, socket));
    if (this.#relay !== undefined || this.session.holdsServer) return;
    socket.destroy();
    this.#server = undefined;
  }

  /** Of an attempt. */
  connectFailed(attempt: Attempt, error: IoError): void {
    this.#settled(attempt);
    this.#drive((now) => this.session.connectFailed(attempt.number, error, now));
  }

  #settled(attempt: Attempt): void {
    if (this.#attempt === attempt) this.#attempt = attempt.earlier;
    else for (let one = this.#attempt; one !== undefined; one = one.earlier) one.forget(attempt);
  }

  #startRelay(step: Extract<Step, { kind: "relay" }>): void {
    this.#cancelPending();
    const { gate, head, answer, rate, passed } = step;
    if (answer !== undefined) this.#client.write(answer);
    const options = { head, rate, passed, fromClient: gate?.fromClient, fromServer: gate?.fromServer };
    this.#relay = this.#owner.adapter.relay(this.#client, this.#server!, options, this);
    this.#server = undefined;
  }

  serverReceived(bytes: Uint8Array): void {
    this.#drive((now) => this.session.serverReceived(bytes, now));
  }

  serverGone(error: IoError | undefined): void {
    this.#server = undefined;
    this.#drive((now) => this.session.serverGone(error, now));
  }

  relayDone(end: RelayEnd): void {
    const { bytesToServer, bytesToClient } = this.#relay!;
    this.#drive((now) => this.session.relayed(end, bytesToServer, bytesToClient, now));
    this.#leave();
  }

  #close(reply: Uint8Array | undefined): void {
    this.#owner.finished(this);
    if (this.#relay !== undefined) return;
    this.#dropServer();
    this.#lingering = 0;
    if (reply === undefined) {
      this.#client.destroy();
      return;
    }
    this.#client.write(reply);
    this.#client.end();
    if (this.#owner.isCrowded) {
      this.#client.destroy();
      return;
    }
    this.#owner.setDeadline(this, this.#owner.adapter.clock.now() + LINGER);
    this.#client.read();
  }

  /** Whoever was on the way to a server is there no more. */
  #abandon(): void {
    this.#cancelPending();
    this.#dropServer();
  }

  /** One that was spoken to, or offered the connection. */
  #dropServer(): void {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.handlers = IGNORED;
    server.reset();
  }

  #discard(bytes: number): void {
    this.#lingering += bytes;
    if (this.#lingering > LINGER_BYTES) this.#client.destroy();
    else this.#client.read();
  }

  #cancelPending(): void {
    const latest = this.#attempt;
    this.#attempt = undefined;
    for (let one = latest; one !== undefined; one = one.earlier) one.connecting!.cancel();
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#cancelPending();
    this.#owner.setDeadline(this, Infinity);
    this.#owner.gone(this);
  }

  #fault(error: unknown): void {
    this.#owner.fault(error);
    try {
      this.#obey(this.session.abort("internal_error", this.#owner.adapter.clock.now()));
    } catch (again) {
      // Out of here it would end the others, too.
      this.#owner.fault(again);
    } finally {
      // Whatever state it was in: nothing of it may stay open.
      if (this.#relay !== undefined) this.#relay.cut();
      else if (this.#lingering < 0) this.#client.destroy();
    }
  }
}

/** A connect that is under way, in a list of those of its connection: mostly of one. */
class Attempt implements ConnectCallbacks {
  readonly #connection: Connection;
  readonly number: number;
  earlier: Attempt | undefined;
  connecting: Connecting | undefined;

  constructor(connection: Connection, number: number, earlier: Attempt | undefined) {
    this.#connection = connection;
    this.number = number;
    this.earlier = earlier;
  }

  connected(socket: Socket): void {
    this.#connection.connected(this, socket);
  }

  failed(error: IoError): void {
    this.#connection.connectFailed(this, error);
  }

  forget(settled: Attempt): void {
    if (this.earlier === settled) this.earlier = settled.earlier;
  }
}
