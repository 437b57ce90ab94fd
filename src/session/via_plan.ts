/**
 * The servers of another plan, reached through a proxy.
 *
 * Owns: that the proxy is dialled in each server's place. What a server given by name resolves to is the proxy's affair:
 * no policy on addresses can hold here.
 */

import { formatEndpoint } from "../address.ts";
import type { ViaConfig } from "../config/config.ts";
import type { ProxiedTarget } from "../opening/proxied_target.ts";
import type { Member } from "../upstream/member.ts";
import { DialPlan, type DialTarget, type Waiting } from "./dial_plan.ts";

export class ViaPlan extends DialPlan {
  /** The server that is dialled now. */
  server: ProxiedTarget | undefined;
  override readonly nextTimeout: number;
  readonly #plan: DialPlan;
  readonly #proxy: DialTarget;

  constructor(plan: DialPlan, { target }: ViaConfig) {
    super();
    this.#plan = plan;
    this.nextTimeout = plan.nextTimeout;
    this.#proxy =
      target.kind === "host"
        ? { kind: "name", name: target.name, port: target.port }
        : { kind: "endpoint", endpoint: { kind: "tcp", ip: target.ip, port: target.port } };
  }

  next(now: number): DialTarget | "busy" | undefined {
    const target = this.#plan.next(now);
    if (target === undefined || target === "busy") return target;
    this.server = proxied(target);
    return { ...this.#proxy, leadsTo: text(this.server) };
  }

  remaining(): number {
    return this.#plan.remaining();
  }

  // `refuses` is the base's, that refuses nothing: the operator named the proxy, so it may be anywhere.

  override failed(now: number, cause: string): void {
    this.#plan.failed(now, cause);
  }

  override get mayLose(): boolean {
    return this.#plan.mayLose;
  }

  override lost(): void {
    this.#plan.lost();
  }

  override settle(heard: boolean, now: number): Member | undefined {
    return this.#plan.settle(heard, now);
  }

  override wait(): Waiting | undefined {
    return this.#plan.wait();
  }

  override describe(now: number): string {
    return this.#plan.describe(now);
  }

  override abandon(): void {
    this.#plan.abandon();
  }
}

function proxied(target: DialTarget): ProxiedTarget {
  if (target.kind === "name") return { host: target.name, isIp: false, port: target.port };
  const { endpoint } = target;
  if (endpoint.kind === "tcp") return { host: endpoint.ip, isIp: true, port: endpoint.port };
  throw new TypeError("Cannot reach a unix: socket through a proxy");
}

function text({ host, isIp, port }: ProxiedTarget): string {
  return isIp ? formatEndpoint({ kind: "tcp", ip: host, port }) : `${host}:${port}`;
}
