/**
 * The relay on top of two `Stream`s: backpressure, half-close, broken sides, counters.
 *
 * Owns: what an event on one side means for the other. It must not look at the bytes (`fromClient` and `fromServer`
 * do) and keeps none: a stream that could not send everything holds the rest, and its peer is paused meanwhile. A direction
 * that has a rate goes through a `PacedFlow`.
 *
 * A side may break before or after its FIN, and the two differ. Before it, the stream of bytes is cut short, and
 * the other side is reset. After it, the side has said all it had to say: that is delivered first.
 */

import type { Relay, RelayEndReason, RelayOptions, RelayOwner, Socket } from "../../src/adapter.ts";
import type { IoError } from "../../src/errors.ts";
import { PacedFlow } from "./paced_flow.ts";
import { type Leftovers, StreamSocket } from "./socket.ts";
import type { Stream, StreamOwner } from "./stream.ts";

declare function queueMicrotask(task: () => void): void;

/** One of the two sockets of a relay. */
abstract class Side implements StreamOwner {
  readonly stream: Stream;
  readonly relay: StreamRelay;
  /** Bytes that were written to this side. */
  taken = 0;
  /** Its FIN came: nothing more does. */
  finished = false;
  isClosed = false;
  /** It holds unsent bytes; the other side is paused. */
  blocked = false;
  /** What comes from this side has a rate. */
  flow: PacedFlow | undefined;

  constructor(stream: Stream, relay: StreamRelay) {
    this.stream = stream;
    this.relay = relay;
  }

  protected abstract get peer(): Side;
  /** The part of `bytes` that the peer gets. */
  protected abstract pass(bytes: Uint8Array): Uint8Array;
  /** What its breaking before its FIN is called. */
  protected abstract readonly breakReason: RelayEndReason;
  /** It broke after its FIN. */
  protected abstract brokeLate(error: IoError | undefined): void;

  /** Starts with what the socket had already read. */
  start(leftovers: Leftovers): void {
    if (leftovers.closed) queueMicrotask(() => this.closed(undefined));
    for (const chunk of leftovers.chunks) this.received(chunk);
    if (leftovers.ended) this.ended();
    else if (!this.peer.blocked && !this.flow?.holds) this.stream.resume();
  }

  /** Sends to this side. */
  send(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.isClosed) return;
    this.taken += bytes.length;
    if (this.stream.write(bytes)) return;
    this.blocked = true;
    this.peer.stream.pause();
  }

  received(bytes: Uint8Array): void {
    const passed = this.pass(bytes);
    if (this.flow === undefined) this.peer.send(passed);
    else this.flow.push(passed);
  }

  ended(): void {
    this.finished = true;
    this.concludePeer("end");
  }

  drained(): void {
    this.blocked = false;
    if (this.peer.flow?.holds) this.peer.flow.proceed();
    else if (!this.peer.finished) this.peer.stream.resume();
  }

  /** FIN, or the close, for the other side, behind all that came from this one. */
  protected concludePeer(how: "end" | "finish"): void {
    if (this.flow === undefined) this.peer.stream[how]();
    else this.flow.conclude(how);
  }

  closed(error: IoError | undefined): void {
    this.isClosed = true;
    this.blocked = false;
    if (this.peer.isClosed) this.relay.finish();
    else if (!this.finished) this.relay.abort(this.breakReason, error);
    else if (error !== undefined || !this.peer.finished) this.brokeLate(error);
  }
}

class ClientSide extends Side {
  protected readonly breakReason = "client_reset";

  protected get peer(): Side {
    return this.relay.server;
  }

  protected pass(bytes: Uint8Array): Uint8Array {
    const gate = this.relay.fromClient;
    if (gate === undefined) return bytes;
    const length = gate(bytes);
    if (length < 0) {
      this.relay.abort("cut", undefined);
      return bytes.subarray(0, 0);
    }
    return length < bytes.length ? bytes.subarray(0, length) : bytes;
  }

  /** Nobody is left to read the server's answer, so the server is let go, after what the client had sent. */
  protected brokeLate(error: IoError | undefined): void {
    if (!this.peer.finished) this.relay.blame(this.breakReason, error);
    this.concludePeer("finish");
  }
}

class ServerSide extends Side {
  protected readonly breakReason = "server_reset";
  /** `fromServer` wants to see more. */
  #tapped: boolean;

  constructor(stream: Stream, relay: StreamRelay) {
    super(stream, relay);
    this.#tapped = relay.fromServer !== undefined;
  }

  protected get peer(): Side {
    return this.relay.client;
  }

  protected pass(bytes: Uint8Array): Uint8Array {
    if (this.#tapped) this.#tapped = this.relay.fromServer?.(bytes) ?? false;
    return bytes;
  }

  /**
   * An answer that came whole goes to the client whole, though the server is gone. What the client still sends is
   * read and dropped, because closing over unread bytes would send RST and could cost the client that answer.
   * `ECONNRESET`, though, says that the FIN may have been an RST: then the client is not kept.
   */
  protected brokeLate(error: IoError | undefined): void {
    if (this.peer.finished) return;
    if (error?.code === "ECONNRESET") {
      this.relay.blame(this.breakReason, error);
      this.concludePeer("finish");
    } else {
      this.peer.stream.resume();
    }
  }
}

export class StreamRelay implements Relay {
  readonly fromClient: RelayOptions["fromClient"];
  readonly fromServer: RelayOptions["fromServer"];
  readonly #owner: RelayOwner;
  readonly client: ClientSide;
  readonly server: ServerSide;
  #reason: RelayEndReason | undefined;
  #error: IoError | undefined;
  #done = false;

  constructor(
    client: Stream,
    server: Stream,
    { fromClient, fromServer, rate, passed }: RelayOptions,
    owner: RelayOwner,
  ) {
    this.fromClient = fromClient;
    this.fromServer = fromServer;
    this.#owner = owner;
    this.client = new ClientSide(client, this);
    this.server = new ServerSide(server, this);
    if (rate?.up !== undefined) this.client.flow = new PacedFlow(rate.up, this.client, this.server, passed?.up);
    if (rate?.down !== undefined) this.server.flow = new PacedFlow(rate.down, this.server, this.client, passed?.down);
  }

  get bytesToServer(): number {
    return this.server.taken;
  }

  get bytesToClient(): number {
    return this.client.taken;
  }

  cut(): void {
    if (!this.#done) this.abort("cut", undefined);
  }

  /** The first cause is the one that is reported. */
  blame(reason: RelayEndReason, error: IoError | undefined): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#error = error;
  }

  abort(reason: RelayEndReason, error: IoError | undefined): void {
    this.blame(reason, error);
    this.client.stream.reset();
    this.server.stream.reset();
  }

  /** Both streams are closed. */
  finish(): void {
    if (this.#done) return;
    this.#done = true;
    const reason = this.#reason ?? "ended";
    this.#owner.relayDone(this.#error === undefined ? { reason } : { reason, error: this.#error });
  }
}

/**
 * Joins two sockets of one adapter that is built on streams.
 * @throws {TypeError} for another adapter's sockets.
 */
export function relayStreams(client: Socket, server: Socket, options: RelayOptions, owner: RelayOwner): Relay {
  if (!(client instanceof StreamSocket && server instanceof StreamSocket)) {
    throw new TypeError("Cannot relay: the sockets belong to another adapter");
  }
  const relay = new StreamRelay(client.stream, server.stream, options, owner);
  const fromClient = client.handOver(relay.client);
  const fromServer = server.handOver(relay.server);
  relay.server.send(options.head);
  relay.client.start(fromClient);
  relay.server.start(fromServer);
  return relay;
}
