/**
 * The servers of another plan, reached through a proxy.
 *
 * Owns: that the proxy is dialled in each server's place. What a server given by name resolves to is the proxy's affair:
 * no policy on addresses can hold here.
 */

import { formatEndpoint } from "../address.ts";
import type { ViaConfig } from "../config/config.ts";
import type { ProxiedTarget } from "../opening/proxied_target.ts";
import type { DialPlan, DialTarget } from "./dial.ts";

export class ViaPlan implements DialPlan {
  /** The server that is dialled now. */
  server: ProxiedTarget | undefined;
  readonly #plan: DialPlan;
  readonly #proxy: DialTarget;

  constructor(plan: DialPlan, { target }: ViaConfig) {
    this.#plan = plan;
    this.#proxy =
      target.kind === "host"
        ? { kind: "name", name: target.name, port: target.port }
        : { kind: "endpoint", endpoint: { kind: "tcp", ip: target.ip, port: target.port } };
  }

  next(): DialTarget | undefined {
    const target = this.#plan.next();
    if (target === undefined) return undefined;
    this.server = proxied(target);
    return { ...this.#proxy, leadsTo: text(this.server) };
  }

  remaining(): number {
    return this.#plan.remaining();
  }

  /** The operator named the proxy: it may be anywhere. */
  refuses(): undefined {
    return undefined;
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
