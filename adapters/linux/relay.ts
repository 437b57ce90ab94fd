/**
 * The relay of two sockets.
 *
 * Owns: what the end of one side means for the other, the reason, and the counters. The same rules as
 * `adapters/shared/relay.ts`: before its FIN a broken side cuts the stream short, and the other is reset; after it,
 * what the side had said is delivered first.
 */

import type { Relay, RelayEndReason, RelayOptions, RelayOwner, RelayPassed, RelayRate } from "../../src/adapter.ts";
import type { IoError } from "../../src/errors.ts";
import { Throttle } from "../shared/pacer.ts";
import type { Deferred } from "./loop.ts";
import type { EngineParts } from "./parts.ts";
import { RelaySide } from "./relay_side.ts";
import type { LinuxSocket } from "./socket.ts";

export class LinuxRelay implements Relay, Deferred {
  readonly parts: EngineParts;
  readonly client: RelaySide;
  readonly server: RelaySide;
  readonly #owner: RelayOwner;
  #reason: RelayEndReason | undefined;
  #error: IoError | undefined;
  #finishing = false;

  constructor(parts: EngineParts, client: LinuxSocket, server: LinuxSocket, options: RelayOptions, owner: RelayOwner) {
    this.parts = parts;
    this.#owner = owner;
    this.client = new RelaySide(this, client);
    this.server = new RelaySide(this, server);
    this.client.peer = this.server;
    this.server.peer = this.client;
    this.client.filter = options.fromClient;
    const { fromServer, rate, passed } = options;
    if (rate !== undefined) this.#limit(rate, passed);
    if (fromServer !== undefined) this.#tap(fromServer);
    this.client.start();
    this.server.start();
    this.server.sendHead(options.head);
  }

  #limit({ up, down }: RelayRate, passed: RelayPassed | undefined): void {
    const now = this.parts.pacer.clock.now();
    if (up !== undefined) this.client.throttle = new Throttle(up, now, passed?.up);
    if (down !== undefined) this.server.throttle = new Throttle(down, now, passed?.down);
  }

  /** The server's bytes are shown until `fromServer` has seen enough. */
  #tap(fromServer: (bytes: Uint8Array) => boolean): void {
    this.server.filter = (bytes) => {
      if (!fromServer(bytes)) this.server.filter = undefined;
      return bytes.length;
    };
  }

  get bytesToServer(): number {
    return this.server.taken;
  }

  get bytesToClient(): number {
    return this.client.taken;
  }

  cut(): void {
    this.abort("cut", undefined);
  }

  /** Ends both sides at once. */
  abort(reason: RelayEndReason, error: IoError | undefined): void {
    if (this.#finishing) return;
    this.#blame(reason, error);
    this.client.reset();
    this.server.reset();
    this.sideClosed();
  }

  /** The first cause is the one that is reported. */
  #blame(reason: RelayEndReason, error: IoError | undefined): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#error = error;
  }

  /** A side closed itself, with both directions at their end; or it just was closed. */
  sideClosed(): void {
    if (this.#finishing || !this.client.isClosed || !this.server.isClosed) return;
    this.#finishing = true;
    this.parts.loop.soon(this);
  }

  sideBroke(side: RelaySide, error: IoError | undefined): void {
    const { peer } = side;
    if (peer.isClosed) this.sideClosed();
    else if (!side.finished) this.abort(side.breakReason, error);
    else if (side === this.client) this.#clientBrokeLate(error);
    else this.#serverBrokeLate(error);
  }

  /** Nobody is left to read the server's answer: the server is let go, after what the client had sent. */
  #clientBrokeLate(error: IoError | undefined): void {
    if (!this.server.finished) this.#blame("client_reset", error);
    this.server.finish();
  }

  /**
   * An answer that came whole goes to the client whole. What the client still sends is read and dropped, because
   * closing over unread bytes would send RST and could cost the client that answer. `ECONNRESET`, though, says
   * that the FIN may have been an RST: then the client is not kept.
   */
  #serverBrokeLate(error: IoError | undefined): void {
    if (this.client.finished) return;
    if (error?.code === "ECONNRESET") {
      this.#blame("server_reset", error);
      this.client.finish();
    } else {
      this.client.resume();
    }
  }

  runDeferred(): void {
    const reason = this.#reason ?? "ended";
    this.#owner.relayDone(this.#error === undefined ? { reason } : { reason, error: this.#error });
  }

  faulted(): void {}
}
