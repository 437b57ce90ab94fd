/**
 * A connection's way to its server, from the route until the server stays.
 *
 * Owns: the dial, and what is said on the way besides the client's own bytes. Let go of as a whole once a server has
 * the connection: an idle one keeps none of it. It must not decide what becomes of the connection.
 */

import type { RouteOptions } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { Opening } from "../opening/opening.ts";
import { Dial } from "./dial.ts";
import { type Egress, egressOf } from "./egress.ts";
import { join } from "./preread_buffer.ts";
import { serverPlan } from "./server_plans.ts";
import type { SessionSettings } from "./session_settings.ts";

export class WayOut {
  readonly dial: Dial;
  readonly #startedAt: number;
  /** Only where the way to the server is more than a connect. */
  readonly #egress: Egress | undefined;

  constructor(dial: Dial, egress: Egress | undefined, now: number) {
    this.dial = dial;
    this.#egress = egress;
    this.#startedAt = now;
  }

  /** Local addresses to connect from, if the route or its upstream has some. */
  get bind(): readonly string[] | undefined {
    return this.#egress?.bind;
  }

  /** For the server that has just connected; undefined where nothing is said before the relay. */
  opening(record: ConnectionRecord): Opening | undefined {
    return this.#egress?.opening(record);
  }

  /** The client's `message` as the server gets it: behind a PROXY header where there is one. */
  head(record: ConnectionRecord, message: Uint8Array): Uint8Array {
    return this.#egress === undefined ? message : join(this.#egress.head(record), message);
  }

  /** Milliseconds since the route was chosen. */
  elapsed(now: number): number {
    return now - this.#startedAt;
  }
}

/**
 * The way of a route that does not reject; undefined where only a name would tell whom to dial.
 * @param sslRequested the client was promised TLS, which the server has to be asked for.
 */
export function wayOut(
  route: RouteOptions,
  record: ConnectionRecord,
  settings: SessionSettings,
  sslRequested: boolean,
  now: number,
): WayOut | undefined {
  const { upstreams, secrets, connectTimeout, addresses } = settings;
  const upstream = route.to.kind === "upstream" ? upstreams.get(route.to.name)! : undefined;
  const plan = serverPlan(route, upstream, record, settings);
  if (plan === undefined) return undefined;
  const egress = egressOf(route, upstream?.config, secrets, sslRequested);
  const dial = new Dial(egress?.through(plan) ?? plan, record.attempts, now + connectTimeout, addresses);
  return new WayOut(dial, egress, now);
}
