/**
 * The health of all upstreams of a running proxy: those that are checked, and those that are not.
 *
 * Owns: which servers are checked, also as they come and go, and the answer to "how are they". It must not connect.
 */

import type { Endpoint } from "../address.ts";
import type { Config, UpstreamConfig } from "../config/config.ts";
import { serverName } from "../upstream/member.ts";
import type { MemberPlace } from "../upstream/upstream.ts";
import { planChecks } from "./check_plan.ts";
import type { CheckedStatus } from "./checked_server.ts";
import { HealthChecker, type HealthParts } from "./health_checker.ts";
import type { ServerStatus, UpstreamStatus } from "./status.ts";

/** What the board says of a server. */
export type ServerAtWork = Pick<ServerStatus, "connections" | "service">;

export class UpstreamHealth {
  #config: Config;
  #endpoints: readonly Endpoint[];
  readonly #checker: HealthChecker;
  readonly #atWork: (upstream: UpstreamConfig, place: MemberPlace) => ServerAtWork;
  #places: Map<string, readonly MemberPlace[]>;

  /**
   * Checks at once.
   * @param endpoints where the listeners listen, in the order of the configuration.
   * @param places the servers of each upstream, by its name.
   */
  constructor(
    config: Config,
    endpoints: readonly Endpoint[],
    places: ReadonlyMap<string, readonly MemberPlace[]>,
    parts: HealthParts & { atWork(upstream: UpstreamConfig, place: MemberPlace): ServerAtWork },
  ) {
    this.#atWork = (upstream, place) => parts.atWork(upstream, place);
    this.#config = config;
    this.#endpoints = endpoints;
    this.#places = new Map(places);
    this.#checker = new HealthChecker(parts);
    this.#update();
  }

  /** The servers of an upstream from now on. */
  setMembers(upstream: string, places: readonly MemberPlace[]): void {
    this.#places.set(upstream, places);
    this.#update();
  }

  /** Another configuration is in force; servers that are checked as before keep their state. */
  reconfigure(
    config: Config,
    endpoints: readonly Endpoint[],
    places: ReadonlyMap<string, readonly MemberPlace[]>,
  ): void {
    this.#config = config;
    this.#endpoints = endpoints;
    this.#places = new Map(places);
    this.#update();
  }

  stop(): void {
    this.#checker.stop();
  }

  /** Every upstream, in the order of the configuration. */
  get upstreams(): UpstreamStatus[] {
    return [...this.#config.upstreams.values()].map((upstream) => ({
      name: upstream.name,
      servers: (this.#places.get(upstream.name) ?? []).map((place) => ({
        ...(this.#checker.statusOf(place.slot) ?? unchecked(serverName(place.target))),
        ...this.#atWork(upstream, place),
      })),
    }));
  }

  /** The slot of the server that `upstreams` tells by this address. */
  slotOf(upstream: string, address: string): number | undefined {
    const places = this.#places.get(upstream) ?? [];
    return places.find(({ slot, target }) => (this.#checker.statusOf(slot)?.address ?? serverName(target)) === address)
      ?.slot;
  }

  #update(): void {
    const upstreams = [...this.#config.upstreams.values()];
    this.#checker.setServers(
      upstreams.flatMap((upstream) =>
        planChecks(this.#config, this.#endpoints, upstream, this.#places.get(upstream.name) ?? []),
      ),
    );
  }
}

function unchecked(address: string): CheckedStatus {
  return {
    address,
    health: "unknown",
    since: undefined,
    checkedAt: undefined,
    duration: undefined,
    error: undefined,
    certificates: [],
  };
}
