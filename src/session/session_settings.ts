/** What the sessions of one listener share. Types only. */

import type { CidrSet } from "../cidr_set.ts";
import type { ListenerProtocol, RateConfig } from "../config/config.ts";
import type { Secrets } from "../config/secrets.ts";
import type { Admission } from "../limits/admission.ts";
import type { Router } from "../router.ts";
import type { AddressMemory } from "../upstream/address_memory.ts";
import type { DirectPolicy } from "../upstream/direct_policy.ts";
import type { LoopWatch } from "../upstream/loop_watch.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { KindRoutes } from "./kind_routes.ts";
import type { PrereadBudget } from "./preread_buffer.ts";

/** Durations in milliseconds. */
export interface SessionSettings {
  readonly protocol: ListenerProtocol;
  /** Only with `any`. */
  readonly kinds: KindRoutes | undefined;
  readonly port: number;
  /** Peers of which a PROXY header is required; absent where none is expected. */
  readonly trustedProxies: CidrSet | undefined;
  /** The port that `https` URLs get; absent where requests are not redirected. */
  readonly redirectToHttps: number | undefined;
  /** Who may connect, and how many; absent: everybody. */
  readonly admission?: Admission | undefined;
  /** For routes that have none. */
  readonly rate?: RateConfig | undefined;
  readonly router: Router;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly directPolicy: DirectPolicy;
  /** Passwords of proxies. */
  readonly secrets: Secrets;
  /** How addresses of names have answered. */
  readonly addresses?: AddressMemory;
  /** Connections of this listener that are on their way by name. */
  readonly loops: LoopWatch;
  readonly prereadTimeout: number;
  readonly connectTimeout: number;
  readonly idleTimeout: number;
  readonly prereadBytes: number;
  readonly budget: PrereadBudget;
}
