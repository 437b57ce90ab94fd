/**
 * What the sessions of one listener share. Types only.
 */

import type { CidrSet } from "../cidr_set.ts";
import type { RateConfig, Route } from "../config/config.ts";
import type { Admission } from "../limits/admission.ts";
import type { Router } from "../router.ts";
import type { DirectPolicy } from "../upstream/direct_policy.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { PrereadBudget } from "./preread_buffer.ts";

/** Durations in milliseconds. */
export interface SessionSettings {
  readonly protocol: "tls" | "http";
  readonly port: number;
  /** Peers of which a PROXY header is required; absent where none is expected. */
  readonly trustedProxies: CidrSet | undefined;
  /** The port that `https` URLs get; absent where requests are not redirected. */
  readonly redirectToHttps: number | undefined;
  /** Who may connect, and how many; absent: everybody. */
  readonly admission?: Admission | undefined;
  /** For routes that have none. */
  readonly rate?: RateConfig | undefined;
  readonly router: Router<Route>;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly directPolicy: DirectPolicy;
  readonly prereadTimeout: number;
  readonly connectTimeout: number;
  readonly idleTimeout: number;
  readonly prereadBytes: number;
  readonly budget: PrereadBudget;
}
