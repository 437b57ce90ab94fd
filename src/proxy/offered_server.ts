/**
 * A server's socket between its connect and its first byte.
 *
 * Owns: telling its connection what comes first. Once the server was passed over, or relayed, it says nothing more.
 */

import type { Socket, SocketHandlers } from "../adapter.ts";
import type { IoError } from "../errors.ts";

/** Who offered its connection to a server. */
export interface OfferOwner {
  /** @param bytes lent for the call. */
  serverReceived(bytes: Uint8Array): void;
  /** It has closed: by FIN (no error), or broken. */
  serverGone(error: IoError | undefined): void;
}

export class OfferedServer implements SocketHandlers {
  #owner: OfferOwner | undefined;
  readonly #socket: Socket;

  /** Sends `head`, and waits for what comes back. */
  constructor(socket: Socket, head: Uint8Array, owner: OfferOwner) {
    this.#socket = socket;
    this.#owner = owner;
    socket.handlers = this;
    if (head.length > 0) socket.write(head);
    socket.read();
  }

  received(bytes: Uint8Array): void {
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.serverReceived(bytes);
  }

  ended(): void {
    this.#gone(undefined);
  }

  closed(error: IoError | undefined): void {
    this.#gone(error);
  }

  #gone(error: IoError | undefined): void {
    const owner = this.#owner;
    this.#owner = undefined;
    if (owner === undefined) return;
    this.#socket.destroy();
    owner.serverGone(error);
  }
}
