/**
 * What a dial asks of whoever knows the servers of a connection.
 *
 * Owns: the questions, and the answers of a plan that has one server. The plans are in `server_plans.ts` and `via_plan.ts`.
 */

import type { Endpoint } from "../address.ts";
import type { Member } from "../upstream/member.ts";
import type { Place } from "../upstream/waiting_line.ts";

/** Where one server is, or the proxy that leads on to it. */
export type DialTarget = (
  | {
      readonly kind: "endpoint";
      readonly endpoint: Endpoint;
      /** As `formatEndpoint` writes it, where that is known already. */
      readonly text?: string;
    }
  | { readonly kind: "name"; readonly name: string; readonly port: number }
) & {
  /** The server that is reached through this one, `host:port`. */
  readonly leadsTo?: string;
};

/** A place in an upstream's line. */
export interface Waiting {
  readonly place: Place;
  /** Milliseconds. */
  readonly timeout: number;
}

/** The servers that a connection may try. Most plans have one, and nobody to tell what became of it. */
export abstract class DialPlan {
  /** Milliseconds after which no further server is tried. */
  readonly nextTimeout: number = Infinity;
  /** The next server; `busy` where all that are left have no room; undefined when all were tried. */
  abstract next(now: number): DialTarget | "busy" | undefined;
  /** How many more `next` will give at most; shares out the time. */
  abstract remaining(): number;

  /** Why a resolved address must not be dialled; undefined where it may. */
  refuses(_ip: string, _port: number): string | undefined {
    return undefined;
  }

  /** The server that `next` gave has answered. */
  connected(_now: number): void {}

  /** The server that `next` gave could not be reached. */
  failed(_now: number, _cause: string): void {}

  /** Where a server closes before its first byte, another one could be tried. */
  get mayLose(): boolean {
    return false;
  }

  /** The server closed before its first byte. */
  lost(): void {}

  /**
   * The server stays. Whom the connection must release in the end, where that is counted.
   * @param heard it has sent its first byte.
   */
  settle(_heard: boolean, _now: number): Member | undefined {
    return undefined;
  }

  /** Lets the connection wait for a server that has room; undefined where it may not. */
  wait(): Waiting | undefined {
    return undefined;
  }

  /** How the servers are that were not tried, for a log. */
  describe(_now: number): string {
    return "";
  }

  /** The connection has ended before. */
  abandon(): void {}
}
