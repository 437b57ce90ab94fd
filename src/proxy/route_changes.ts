/**
 * Which connections lose their way by a new configuration, and what becomes of them: `onChange` of their route.
 *
 * Owns: the question "would this connection still be led there", asked of every open connection, and the time that those
 * have for whom it is no. It must not route: routers do.
 */

import type { Clock } from "../adapter.ts";
import type { Destination, Route } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { Session } from "../session/session.ts";
import type { SessionSettings } from "../session/session_settings.ts";
import type { Upstream } from "../upstream/upstream.ts";

/** A connection as far as it matters here. */
export interface Led {
  readonly session: Pick<Session, "record" | "member">;
}

export interface RouteChangesParts<Connection extends Led> {
  readonly clock: Pick<Clock, "after">;
  /** Those that are open. */
  connections(): Iterable<Connection>;
  /** Whether it is open still. */
  has(connection: Connection): boolean;
  /** What serves the listener of this address now; undefined: it is gone. */
  settingsOf(listener: string): SessionSettings | undefined;
  cut(connection: Connection): void;
}

export class RouteChanges<Connection extends Led> {
  readonly #parts: RouteChangesParts<Connection>;
  /** Connections that were led by a route which is gone. */
  readonly #ledBy = new WeakMap<Connection, Route>();

  constructor(parts: RouteChangesParts<Connection>) {
    this.#parts = parts;
  }

  /** Carries out `swap`, which puts another configuration in force, and what `onChange` then asks for. */
  around(swap: () => void): void {
    const before = [...this.#parts.connections()].map(
      (connection) => [connection, this.#ledBy.get(connection) ?? this.#routeOf(connection)] as const,
    );
    swap();
    const leaving = new Map<number, [Connection, Route][]>();
    for (const [connection, old] of before) {
      if (old === undefined) continue;
      const stay = this.#mayStay(connection, old);
      if (stay === undefined) continue;
      const together = leaving.get(stay) ?? [];
      together.push([connection, old]);
      leaving.set(stay, together);
    }
    for (const [stay, connections] of leaving) this.#end(connections, stay);
  }

  #routeOf({ session: { record } }: Connection): Route | undefined {
    const settings = this.#parts.settingsOf(record.listener);
    return settings && routeFor(settings, record);
  }

  /** Milliseconds; undefined: as long as it likes. */
  #mayStay(connection: Connection, old: Route): number | undefined {
    const now = this.#routeOf(connection);
    if (this.#leadsThere(connection, old.to, now?.to)) {
      this.#ledBy.delete(connection);
      return undefined;
    }
    this.#ledBy.set(connection, old);
    // Who changed the route may have said so in the same breath.
    return now !== undefined && now.text === old.text ? now.onChange : old.onChange;
  }

  #leadsThere({ session: { record, member } }: Connection, old: Destination, now: Destination | undefined): boolean {
    if (now?.kind !== "upstream" || old.kind !== "upstream") return JSON.stringify(now) === JSON.stringify(old);
    if (now.name !== old.name) return false;
    const upstream = this.#parts.settingsOf(record.listener)?.upstreams.get(now.name);
    return upstream !== undefined && (member === undefined || hasServer(upstream, member.slot));
  }

  #end(connections: readonly [Connection, Route][], stay: number): void {
    const { clock, has, cut } = this.#parts;
    if (stay === 0) {
      for (const [connection] of connections) cut(connection);
      return;
    }
    clock.after(stay, () => {
      for (const [connection, old] of connections) {
        // Yet another configuration may have given its way back.
        if (has(connection) && !this.#leadsThere(connection, old.to, this.#routeOf(connection)?.to)) cut(connection);
      }
    });
  }
}

function hasServer(upstream: Upstream, slot: number): boolean {
  return upstream.members.some((member) => member.slot === slot && !member.config.down);
}

/** The route that a connection has, or would have now; undefined: it was not routed yet. */
function routeFor(
  { router, kinds }: SessionSettings,
  { route, protocol, serverName }: ConnectionRecord,
): Route | undefined {
  if (route === undefined) return undefined;
  if (protocol === "ssh" || protocol === "other" || protocol === "silent") return kinds?.[protocol];
  return router.match(serverName);
}
