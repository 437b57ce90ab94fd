/**
 * How upstreams and their servers are, for whoever asks: the library, the admin interface. Types only.
 */

import type { Certificate } from "../probe.ts";
import type { Health } from "./server_health.ts";

export interface UpstreamStatus {
  readonly name: string;
  /** In the order of the configuration. */
  readonly servers: readonly ServerStatus[];
}

/** Times are milliseconds since the epoch. Texts of certificates are the server's own: escape them. */
export interface ServerStatus {
  readonly address: string;
  /** `unknown` counts as up: it was not checked yet, or has no check. */
  readonly health: Health;
  /** Since when; undefined while it is unknown. */
  readonly since: number | undefined;
  /** End of the last check. */
  readonly checkedAt: number | undefined;
  /** Of the last check, milliseconds. */
  readonly duration: number | undefined;
  /** Connections that it has now. */
  readonly connections: number;
  /** Whether connections are given to it. */
  readonly service: ServiceState;
  /** Why the last check failed. */
  readonly error: string | undefined;
  /** Of the last check that saw any; one for each name that was asked for. */
  readonly certificates: readonly CertificateStatus[];
}

/**
 * `in`: it is in service; `failing`: passed over for a while, since it failed clients; `down`: active checks say so; `disabled`:
 * an operator has taken it out; `off`: the configuration says `down: true`.
 */
export type ServiceState = "in" | "failing" | "down" | "disabled" | "off";

export interface CertificateStatus extends Certificate {
  /** The name that was asked for. */
  readonly serverName: string | undefined;
  /** Whole days until it expires; negative once it has. */
  readonly daysLeft: number;
}
