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
import { Discovery } from "./discovery.ts";
import { OwnAddresses } from "./own_addresses.ts";
import type { UpstreamPlaces } from "./protocol.ts";
import { watchUpstreams } from "./upstream_watch.ts";

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
  readonly names: NameCache;
  readonly clock: Clock;
  readonly host: Pick<Host, "interfaceAddresses" | "probe">;
  readonly plane: Surrounded;
  warn(message: string): void;
}

/** Milliseconds that the start waits for servers that only DNS knows. */
const FIRST_ANSWERS = 2_000;

export class Surroundings {
  readonly #parts: SurroundingsParts;
  readonly #discovery: Discovery;
  readonly #ownAddresses: OwnAddresses;
  /** What DNS had named before the checks began. */
  readonly #found = new Map<string, readonly MemberPlace[]>();
  #health: UpstreamHealth | undefined;

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
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.after(FIRST_ANSWERS, resolve);
      void this.#discovery.start().then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Begins to check servers; the plane has started. */
  startChecks(): void {
    const { config, names, clock, host, plane, warn } = this.#parts;
    this.#health = watchUpstreams({
      config,
      clock,
      plane,
      found: this.#found,
      probe: host.probe,
      resolve: (name, answer) => void names.resolve(name).then(answer, answer),
      warn,
    });
  }

  /** How each upstream's servers are; none before the checks begin. */
  get upstreams(): readonly UpstreamStatus[] {
    return this.#health?.upstreams ?? [];
  }

  stop(): void {
    this.#health?.stop();
    this.#discovery.stop();
    this.#ownAddresses.stop();
  }

  #changed(upstream: string, places: readonly MemberPlace[]): void {
    this.#parts.plane.setPlaces([upstream, places]);
    if (this.#health === undefined) this.#found.set(upstream, places);
    else this.#health.setMembers(upstream, places);
  }
}
