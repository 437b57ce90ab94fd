/**
 * The server's socket between its connect and the relay, where something is said before.
 *
 * Owns: passing its events on to the session. It must not read or write: the connection does, as the session says.
 */

import type { Socket, SocketHandlers } from "../adapter.ts";
import type { IoError } from "../errors.ts";
import type { Session } from "../session/session.ts";
import type { Step } from "../session/step.ts";

export interface ServerOpeningOwner {
  readonly session: Session;
  serverEvent(server: Socket, input: (now: number) => Step): void;
}

export class ServerOpening implements SocketHandlers {
  readonly #server: Socket;
  readonly #owner: ServerOpeningOwner;

  constructor(server: Socket, owner: ServerOpeningOwner) {
    this.#server = server;
    this.#owner = owner;
  }

  received(bytes: Uint8Array): void {
    this.#owner.serverEvent(this.#server, (now) => this.#owner.session.serverReceived(bytes, now));
  }

  ended(): void {
    this.#owner.serverEvent(this.#server, (now) => this.#owner.session.serverClosed(undefined, now));
  }

  closed(error: IoError | undefined): void {
    this.#owner.serverEvent(this.#server, (now) => this.#owner.session.serverClosed(error, now));
  }
}
