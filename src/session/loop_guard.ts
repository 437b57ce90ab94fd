/**
 * What one connection leaves in its listener's memory of loops, until it is clear that it does not come back.
 *
 * Owns: by what a connection is known when it comes back: a ClientHello by its random bytes, what has none by the
 * address that it left from. It must not decide what becomes of one that has come back.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import { latin1 } from "../bytes.ts";
import type { RouteOptions } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { LoopWatch } from "../upstream/loop_watch.ts";
import type { Prelude } from "./preread.ts";
import type { SessionSettings } from "./session_settings.ts";

/**
 * Where a ClientHello's random begins: behind the headers of record and message, and the version (RFC 8446 §4.1.2). In a
 * hello that is cut into many records these are other bytes, but the same ones each time it comes.
 */
const RANDOM_AT = 11;
const RANDOM_LENGTH = 32;

export class LoopGuard {
  /** The connection went out from here before, and is still under way. */
  readonly isBack: boolean;
  readonly #loops: LoopWatch;
  #key: string | undefined;

  /** @param key what is in `loops`; undefined: that will only be known when a server is reached. */
  constructor(loops: LoopWatch, key: string | undefined, isBack: boolean) {
    this.#loops = loops;
    this.#key = key;
    this.isBack = isBack;
  }

  /** The server was reached from there. */
  leftFrom(socket: { readonly local: Endpoint }): void {
    if (this.#key !== undefined) return;
    this.#key = formatEndpoint(socket.local);
    this.#loops.enter(this.#key);
  }

  /** It has not come back, or it is over. */
  leave(): undefined {
    if (this.#key !== undefined) this.#loops.leave(this.#key);
  }
}

/**
 * Watches a connection whose way DNS has a say in: only there can one come back unforeseen; undefined: this is none.
 * @param bytes the first message.
 */
export function guardLoop(
  { loops, upstreams }: Pick<SessionSettings, "loops" | "upstreams">,
  { to }: Pick<RouteOptions, "to">,
  { kind }: Prelude,
  peer: Endpoint,
  bytes: Uint8Array,
): LoopGuard | undefined {
  const isByName =
    to.kind === "upstream" ? upstreams.get(to.name)?.isByName : to.kind === "direct" || to.kind === "host";
  if (isByName !== true) return undefined;
  if (kind !== "tls") return new LoopGuard(loops, undefined, loops.has(formatEndpoint(peer)));
  const key = latin1(bytes, RANDOM_AT, RANDOM_AT + RANDOM_LENGTH);
  const isNew = loops.enter(key);
  // The one that is under way keeps its place.
  return new LoopGuard(loops, isNew ? key : undefined, !isNew);
}

/** For the log. */
export function loopText({ peer, serverName }: ConnectionRecord): string {
  const from = peer.kind === "tcp" ? peer.ip : "a unix: socket";
  const cause = "a hosts file, DNS or a proxy on the way leads the name back to this machine";
  return `the connection for ${serverName} went out from here and came back from ${from}: ${cause}`;
}
