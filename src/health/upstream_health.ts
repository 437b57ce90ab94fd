/**
 * The health of all upstreams of a running proxy: those that are checked, and those that are not.
 *
 * Owns: which servers are checked, also as they come and go, and the answer to "how are they". It must not connect.
 */

import type { Endpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import { serverName } from "../upstream/member.ts";
import type { MemberPlace } from "../upstream/upstream.ts";
import { planChecks } from "./check_plan.ts";
import type { CheckedStatus } from "./checked_server.ts";
import { HealthChecker, type HealthParts } from "./health_checker.ts";
import type { UpstreamStatus } from "./status.ts";

export class UpstreamHealth {
  #config: Config;
  #endpoints: readonly Endpoint[];
  readonly #checker: HealthChecker;
  readonly #connections: (slot: number) => number;
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
    parts: HealthParts & { connections(slot: number): number },
  ) {
    this.#connections = (slot) => parts.connections(slot);
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
    return [...this.#config.upstreams.values()].map(({ name }) => ({
      name,
      servers: (this.#places.get(name) ?? []).map(({ slot, target }) => ({
        ...(this.#checker.statusOf(slot) ?? unchecked(serverName(target))),
        connections: this.#connections(slot),
      })),
    }));
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
