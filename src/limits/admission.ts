/**
 * Whether a connection may go on: the listener's access rules, the limits on handshakes and on its client.
 *
 * Owns: the order of these questions, and what must be given back when the connection ends. It must not close anything.
 * Where a limit or a list is a dry run, it only writes into the record what would have been.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import type { AccessConfig, LimitsConfig, RateConfig } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { Reason } from "../reason.ts";
import { permits } from "./access.ts";
import { type ClientKey, clientKey } from "./client_key.ts";
import { ClientTable } from "./client_table.ts";
import type { LimitsMemory } from "./limits_memory.ts";
import { SharedCount } from "./shared_count.ts";

/** Whether the limits of a configuration need memory that workers share, and for clients. */
export function limitsNeeded({ perClient, newPerSecond, handshakes }: LimitsConfig): {
  any: boolean;
  clients: boolean;
} {
  const clients = (perClient ?? newPerSecond) !== undefined;
  return { any: clients || handshakes !== undefined, clients };
}

/** The limits of one worker. */
export class WorkerLimits {
  readonly dryRun: boolean;
  readonly clients: ClientTable | undefined;
  readonly handshakes: SharedCount | undefined;

  constructor(limits: LimitsConfig, memory: LimitsMemory, worker: number) {
    const { perClient, newPerSecond, burst = newPerSecond ?? 0, handshakes } = limits;
    this.dryRun = limits.dryRun;
    this.clients = memory.buckets > 0 ? new ClientTable(memory, worker, { perClient, newPerSecond, burst }) : undefined;
    this.handshakes = handshakes === undefined ? undefined : new SharedCount(memory, worker, handshakes);
  }

  /** What another worker, which is gone, had counted. */
  forget(worker: number): void {
    this.clients?.forget(worker);
    this.handshakes?.forget(worker);
  }
}

/** What is asked of every connection of a listener. */
export class Admission {
  readonly access: AccessConfig | undefined;
  readonly limits: WorkerLimits | undefined;

  constructor(access: AccessConfig | undefined, limits: WorkerLimits | undefined) {
    this.access = access;
    this.limits = limits;
  }
}

/** Why a connection is refused. */
export interface Refusal {
  readonly reason: Reason;
  readonly detail: string;
}

/** Whether `access`, which is that of `whose`, lets the record's client in. */
export function refusedBy(access: AccessConfig, record: ConnectionRecord, whose: string): Refusal | undefined {
  if (permits(access, record.client)) return undefined;
  return decide(record, "access_denied", `${withoutPort(record.client)} is not let in by ${whose}`, access.dryRun);
}

function withoutPort(client: Endpoint): string {
  return client.kind === "tcp" ? client.ip : formatEndpoint(client);
}

function decide(record: ConnectionRecord, reason: Reason, detail: string, dryRun: boolean): Refusal | undefined {
  if (!dryRun) return { reason, detail };
  // The first one is where it would have ended.
  record.wouldReject ??= reason;
  return undefined;
}

/** `visit`, made if need be, with the rate of a route, or its listener's in a direction of which the route says nothing. */
export function withRate(
  visit: Visit | undefined,
  route: RateConfig | undefined,
  listener: RateConfig | undefined,
): Visit | undefined {
  if ((route ?? listener) === undefined) return visit;
  const limited = visit ?? new Visit(undefined);
  limited.rate = { down: route?.down ?? listener?.down, up: route?.up ?? listener?.up };
  return limited;
}

/** What is known and held of one connection. Made only where something is limited. */
export class Visit {
  readonly #admission: Admission | undefined;
  #inHandshake = false;
  #isIdentified = false;
  #counted: ClientKey | undefined;
  /** Of its route, or its listener. */
  rate: RateConfig | undefined;

  constructor(admission: Admission | undefined) {
    this.#admission = admission;
  }

  /** It was accepted; who the client is may be still to come in a PROXY header. */
  arrived(record: ConnectionRecord): Refusal | undefined {
    const limits = this.#admission?.limits;
    if (limits?.handshakes === undefined) return undefined;
    const fits = limits.handshakes.add(limits.dryRun);
    this.#inHandshake = fits || limits.dryRun;
    return fits ? undefined : decide(record, "handshakes_limit", "", limits.dryRun);
  }

  /** The client is known. It is judged the first time only. */
  identified(record: ConnectionRecord): Refusal | undefined {
    if (this.#isIdentified) return undefined;
    this.#isIdentified = true;
    const { access } = this.#admission ?? {};
    const denied = access === undefined ? undefined : refusedBy(access, record, "the listener");
    return denied ?? this.#countClient(record);
  }

  #countClient(record: ConnectionRecord): Refusal | undefined {
    const limits = this.#admission?.limits;
    const key = limits?.clients === undefined ? undefined : clientKey(record.client);
    if (limits?.clients === undefined || key === undefined) return undefined;
    const verdict = limits.clients.enter(key, record.acceptedAt, limits.dryRun);
    if (verdict === "uncounted") return undefined;
    if (verdict === "admitted" || limits.dryRun) this.#counted = key;
    return verdict === "admitted" ? undefined : decide(record, verdict, withoutPort(record.client), limits.dryRun);
  }

  /** It has its server, or never will. */
  handshakeOver(): void {
    if (!this.#inHandshake) return;
    this.#inHandshake = false;
    this.#admission?.limits?.handshakes?.subtract();
  }

  ended(): void {
    this.handshakeOver();
    if (this.#counted === undefined) return;
    this.#admission?.limits?.clients?.leave(this.#counted);
    this.#counted = undefined;
  }
}
