/**
 * The names that a running proxy asks for, by the resolver of the configuration in force.
 *
 * Owns: one cache at a time. Another resolver begins with an empty one; the former answers what it was asked before.
 */

import type { Clock } from "../adapter.ts";
import type { ResolverConfig } from "../config/config.ts";
import type { Host, Resolver, ServiceRecord } from "../host.ts";
import { type Known, NameCache } from "../names/name_cache.ts";
import { noLookups, type ResolverCounts } from "../names/resolver_counts.ts";

export interface NamesParts {
  readonly host: Pick<Host, "createResolver">;
  readonly clock: Clock;
  warn(message: string): void;
}

/** Milliseconds that the former resolver has beyond its own timeout. */
const GRACE = 1_000;

export class NamesInForce {
  /** Of every resolver that there was. */
  readonly counts: ResolverCounts = noLookups();
  readonly #parts: NamesParts;
  #config: ResolverConfig;
  #resolver: Resolver;
  #cache: NameCache;
  /** Those that still answer, each with how to end the wait for that. */
  readonly #former = new Map<Resolver, () => void>();

  constructor(config: ResolverConfig, parts: NamesParts) {
    this.#parts = parts;
    this.#config = config;
    [this.#resolver, this.#cache] = this.#open(config);
  }

  /** Another configuration is in force. */
  use(config: ResolverConfig): void {
    if (JSON.stringify(config) === JSON.stringify(this.#config)) return;
    const former = this.#resolver;
    const { timeout } = this.#config;
    this.#config = config;
    [this.#resolver, this.#cache] = this.#open(config);
    const cancel = this.#parts.clock.after(timeout + GRACE, () => {
      this.#former.delete(former);
      former.close();
    });
    this.#former.set(former, cancel);
  }

  /** Addresses of `name`. @throws {IoError} as the rejection. */
  resolve(name: string): Promise<readonly string[]> {
    return this.#cache.resolve(name);
  }

  lookUp(name: string): Promise<Known<readonly string[]>> {
    return this.#cache.lookUp(name);
  }

  lookUpService(name: string): Promise<Known<readonly ServiceRecord[]>> {
    return this.#cache.lookUpService(name);
  }

  close(): void {
    this.#resolver.close();
    for (const [former, cancel] of this.#former) {
      cancel();
      former.close();
    }
    this.#former.clear();
  }

  #open(config: ResolverConfig): [Resolver, NameCache] {
    const { host, clock, warn } = this.#parts;
    const resolver = host.createResolver(config);
    return [resolver, new NameCache({ resolver, clock, times: config, counts: this.counts, warn })];
  }
}
