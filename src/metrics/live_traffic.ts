/**
 * What open connections have moved so far.
 *
 * Owns: what has been counted of each, so that nothing counts twice; there only for connections that were looked at
 * while they were open. All are looked at about once a second, some at a time, so that nobody waits for it.
 */

import type { ConnectionRecord } from "../connection_record.ts";
import type { Moved, Tally } from "./tally.ts";

/** An open connection, as far as it is counted. */
export interface LiveConnection {
  readonly record: ConnectionRecord;
  /** Bytes from the client so far. */
  readonly bytesReceived: number;
  /** Bytes to the client so far. */
  readonly bytesSent: number;
  /** It has ended, and been counted; its socket may still be there. */
  readonly isOver: boolean;
}

/** Connections that are looked at in one go. */
export const AT_ONCE = 5_000;
/** Milliseconds from one round to the next. */
const ROUND = 1_000;

export class LiveTraffic<Connection extends LiveConnection> {
  readonly #connections: () => Iterable<Connection>;
  readonly #tally: Tally;
  readonly #counted = new Map<Connection, Moved>();
  #round: Iterator<Connection> | undefined;
  #roundAt = -Infinity;

  constructor(connections: () => Iterable<Connection>, tally: Tally) {
    this.#connections = connections;
    this.#tally = tally;
  }

  /** Looks at some connections, if it is time to. @param now monotonic, ms. */
  look(now: number): void {
    if (this.#round === undefined) {
      if (now - this.#roundAt < ROUND) return;
      this.#roundAt = now;
      this.#round = this.#connections()[Symbol.iterator]();
    }
    for (let looked = 0; looked < AT_ONCE; looked++) {
      const next = this.#round.next();
      if (next.done === true) {
        this.#round = undefined;
        return;
      }
      this.#lookAt(next.value);
    }
  }

  /** A connection has ended. @returns what was counted of it. */
  ended(connection: Connection): Moved | undefined {
    if (this.#counted.size === 0) return undefined;
    const moved = this.#counted.get(connection);
    if (moved !== undefined) this.#counted.delete(connection);
    return moved;
  }

  #lookAt(connection: Connection): void {
    if (connection.isOver) return;
    const { bytesReceived, bytesSent } = connection;
    const counted = this.#counted.get(connection);
    const received = bytesReceived - (counted?.received ?? 0);
    const sent = bytesSent - (counted?.sent ?? 0);
    if (received <= 0 && sent <= 0) return;
    this.#tally.moved(connection.record, received, sent);
    if (counted === undefined) this.#counted.set(connection, { received: bytesReceived, sent: bytesSent });
    else {
      counted.received = bytesReceived;
      counted.sent = bytesSent;
    }
  }
}
