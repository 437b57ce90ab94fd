/**
 * What the sessions of each listener share, from the configuration in force.
 *
 * Owns: the way from a configuration to `SessionSettings`. A listener's settings are one object for its whole life: a new
 * configuration is put into it at once, between two events, so that every connection is routed by one table or the other.
 */

import type { Config, ListenerConfig, ListenerProtocol } from "../config/config.ts";
import type { Secrets } from "../config/secrets.ts";
import { Admission, type WorkerLimits } from "../limits/admission.ts";
import { Router } from "../router.ts";
import { kindRoutes, namelessRoute } from "../session/kind_routes.ts";
import type { PrereadBudget } from "../session/preread_buffer.ts";
import type { SessionSettings } from "../session/session_settings.ts";
import type { AddressMemory } from "../upstream/address_memory.ts";
import type { DirectPolicy } from "../upstream/direct_policy.ts";
import type { Upstream } from "../upstream/upstream.ts";

/** What all listeners share. */
export interface SharedSettings {
  readonly config: Config;
  readonly limits: WorkerLimits | undefined;
  readonly secrets: Secrets | undefined;
  readonly directPolicy: DirectPolicy;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly addresses: AddressMemory;
  readonly budget: PrereadBudget;
}

/** What a listener has for itself, whatever the configuration. */
export type ListenerOwn = Pick<SessionSettings, "loops" | "port">;

/** Makes the settings of one listener after another; one router for listeners that share their routes. */
export class SettingsMaker {
  readonly #shared: SharedSettings;
  readonly #routers = new Map<unknown, Router>();

  constructor(shared: SharedSettings) {
    this.#shared = shared;
  }

  make(listener: ListenerConfig, own: ListenerOwn): SessionSettings {
    const { config, limits, secrets = {}, directPolicy, upstreams, addresses, budget } = this.#shared;
    const { timeouts } = config;
    return {
      ...own,
      protocol: listener.protocol,
      kinds: listener.kinds && kindRoutes(listener.kinds),
      trustedProxies: listener.proxyProtocol ? listener.trustedProxies : undefined,
      redirectToHttps: listener.redirectToHttps,
      admission: (listener.access ?? limits) ? new Admission(listener.access, limits) : undefined,
      rate: listener.rate,
      router: this.#router(listener.routes),
      upstreams,
      directPolicy,
      secrets,
      addresses,
      prereadTimeout: timeouts.preread,
      connectTimeout: timeouts.connect,
      idleTimeout: timeouts.idle,
      prereadBytes: config.limits.prereadBytes,
      budget,
    };
  }

  #router(table: ListenerConfig["routes"]): Router {
    const router = this.#routers.get(table) ?? createRouter(table);
    this.#routers.set(table, router);
    return router;
  }
}

/** Of a name on a `unix:` listener. */
export const DEFAULT_PORTS: Readonly<Record<ListenerProtocol, number>> = {
  tls: 443,
  http: 80,
  postgres: 5432,
  any: 443,
};

/** The router of a route table. */
export function createRouter(table: ListenerConfig["routes"]): Router {
  return new Router(table, { ...namelessRoute("default", table.default), ...table.defaultGuard });
}
