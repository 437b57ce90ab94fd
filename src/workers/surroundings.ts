/**
 * What changes around a running proxy: the servers that DNS names, how servers are, and this machine's addresses.
 *
 * Owns: that everybody learns of it: whoever carries connections, and the checks, which look after exactly the servers at
 * work. It must touch no connection.
 */

import type { Clock } from "../adapter.ts";
import type { Endpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import type { UpstreamStatus } from "../health/status.ts";
import type { UpstreamHealth } from "../health/upstream_health.ts";
import type { Host } from "../host.ts";
import type { NameCache } from "../names/name_cache.ts";
import type { OpenBoard } from "../upstream/allotments.ts";
import type { MemberPlace } from "../upstream/upstream.ts";
import { atMost } from "./at_most.ts";
import { Discovery } from "./discovery.ts";
import { OwnAddresses } from "./own_addresses.ts";
import type { UpstreamPlaces } from "./protocol.ts";
import { placesAtWork, switchServer, watchUpstreams } from "./upstream_watch.ts";

/** What carries the connections, as far as it is told of changes. */
export interface Surrounded {
  /** Where it listens, once it has started. */
  readonly endpoints: readonly Endpoint[];
  /** Where its upstreams' servers are counted. */
  readonly board: OpenBoard;
  setPlaces(upstream: UpstreamPlaces): void;
  setOwnAddresses(addresses: readonly string[]): void;
  /** Cuts the connections of an upstream's server. */
  cutServer(slot: number): void;
  /** An upstream, by its group on the board, may have room for whoever waits. */
  freed(upstream: number): void;
}

export interface SurroundingsParts {
  readonly config: Config;
  readonly names: Pick<NameCache, "resolve" | "lookUp" | "lookUpService">;
  readonly clock: Clock;
  readonly host: Pick<Host, "interfaceAddresses" | "probe">;
  readonly plane: Surrounded;
  /** A check of an upstream's server has ended. */
  checked?(upstream: string, server: string, isWell: boolean): void;
  warn(message: string): void;
}

/** Milliseconds that the start waits for servers that only DNS knows. */
const FIRST_ANSWERS = 2_000;

export class Surroundings {
  readonly #parts: SurroundingsParts;
  readonly #discovery: Discovery;
  readonly #ownAddresses: OwnAddresses;
  #health: UpstreamHealth | undefined;
  /** Another configuration is about to come into force: who carries connections is told of servers by that. */
  #isPreparing = false;

  constructor(parts: SurroundingsParts) {
    this.#parts = parts;
    const { config, names, clock, host, plane } = parts;
    this.#discovery = new Discovery({
      config,
      names,
      clock,
      board: plane.board,
      changed: (upstream, places) => this.#changed(upstream, places),
      warn: (message) => parts.warn(message),
    });
    this.#ownAddresses = new OwnAddresses({
      clock,
      read: () => host.interfaceAddresses(),
      changed: (addresses) => plane.setOwnAddresses(addresses),
    });
  }

  /** Waits a moment for the servers that only DNS knows, so that whoever waits for the start finds them. */
  async start(): Promise<void> {
    this.#ownAddresses.start();
    if (this.#discovery.isIdle) return;
    await this.#aMoment(this.#discovery.start());
  }

  /** Until it is done, but not for long. */
  #aMoment(done: Promise<void>): Promise<void> {
    return atMost(this.#parts.clock, FIRST_ANSWERS, done);
  }

  /** Looks for the servers of another configuration, which has its allotments: those that DNS names, by upstream. */
  async prepare(config: Config): Promise<UpstreamPlaces[]> {
    this.#isPreparing = true;
    await this.#aMoment(this.#discovery.reconfigure(config, this.#parts.plane.board.allotments));
    return this.#discovery.places;
  }

  /** What was prepared is in force. */
  use(config: Config): void {
    this.#isPreparing = false;
    const { plane } = this.#parts;
    this.#health?.reconfigure(config, plane.endpoints, this.#places(config));
    // What DNS has said since they were told.
    this.#tellPlaces();
  }

  /** What was prepared is not in force, `former` still is. */
  undo(former: Config): void {
    void this.#discovery.reconfigure(former, this.#parts.plane.board.allotments);
    this.#isPreparing = false;
    this.#tellPlaces();
  }

  #tellPlaces(): void {
    for (const places of this.#discovery.places) this.#parts.plane.setPlaces(places);
  }

  #places(config: Config): ReadonlyMap<string, readonly MemberPlace[]> {
    return placesAtWork(config, this.#parts.plane.board.allotments, new Map(this.#discovery.places));
  }

  /** Begins to check servers; the plane has started. */
  startChecks(): void {
    const { config, names, clock, host, plane, warn } = this.#parts;
    this.#health = watchUpstreams({
      config,
      clock,
      plane,
      found: new Map(this.#discovery.places),
      probe: host.probe,
      resolve: (name, answer) => void names.resolve(name).then(answer, answer),
      checked: (upstream, server, isWell) => this.#parts.checked?.(upstream, server, isWell),
      warn,
    });
  }

  /** How each upstream's servers are; none before the checks begin. */
  get upstreams(): readonly UpstreamStatus[] {
    return this.#health?.upstreams ?? [];
  }

  /**
   * Takes a server out of service by an operator's wish, or in again.
   * @param address as `upstreams` tells it. @returns false where there is no such server.
   */
  switchServer(upstream: string, address: string, isIn: boolean): boolean {
    const slot = this.#health?.slotOf(upstream, address);
    if (slot === undefined) return false;
    switchServer(this.#parts, upstream, slot, isIn);
    return true;
  }

  stop(): void {
    this.#health?.stop();
    this.#discovery.stop();
    this.#ownAddresses.stop();
  }

  #changed(upstream: string, places: readonly MemberPlace[]): void {
    if (this.#isPreparing) return;
    this.#parts.plane.setPlaces([upstream, places]);
    this.#health?.setMembers(upstream, places);
  }
}
