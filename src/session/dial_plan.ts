/**
 * The servers that a connection of a given route may try.
 *
 * Owns: turning a destination into dial targets: the name itself for `direct`, one server, or an upstream's.
 */

import type { ServerConfig, Target } from "../config/config.ts";
import type { DirectPolicy } from "../upstream/direct_policy.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { DialPlan, DialTarget } from "./dial.ts";

/** One server that the operator named: it may be anywhere. */
export class ServerPlan implements DialPlan {
  #target: DialTarget | undefined;

  /** @param listenerPort where the target has none. */
  constructor(target: Target, listenerPort: number) {
    this.#target = dialTarget(target, listenerPort);
  }

  next(): DialTarget | undefined {
    const target = this.#target;
    this.#target = undefined;
    return target;
  }

  remaining(): number {
    return this.#target === undefined ? 0 : 1;
  }

  refuses(_ip: string, _port: number): string | undefined {
    return undefined;
  }
}

/** `direct`: the name that the client asked for, and no address that the policy refuses. */
export class DirectPlan extends ServerPlan {
  readonly #policy: DirectPolicy;
  readonly #allowPrivate: boolean;

  constructor(name: string, port: number, policy: DirectPolicy, allowPrivate: boolean) {
    super({ kind: "host", name, port }, port);
    this.#policy = policy;
    this.#allowPrivate = allowPrivate;
  }

  override refuses(ip: string, port: number): string | undefined {
    return this.#policy.refuses(ip, port, this.#allowPrivate);
  }
}

/** An upstream: servers as its balancer chooses them, each at most once. */
export class UpstreamPlan implements DialPlan {
  readonly #upstream: Upstream;
  readonly #listenerPort: number;
  readonly #tried = new Set<ServerConfig>();

  constructor(upstream: Upstream, listenerPort: number) {
    this.#upstream = upstream;
    this.#listenerPort = listenerPort;
  }

  next(): DialTarget | undefined {
    const server = this.#upstream.balancer.next(this.#tried);
    if (server === undefined) return undefined;
    this.#tried.add(server);
    return dialTarget(server.target, this.#listenerPort);
  }

  remaining(): number {
    return this.#upstream.config.servers.length - this.#tried.size;
  }

  refuses(): undefined {
    return undefined;
  }
}

function dialTarget(target: Target, listenerPort: number): DialTarget {
  switch (target.kind) {
    case "ip":
      return { kind: "endpoint", endpoint: { kind: "tcp", ip: target.ip, port: target.port ?? listenerPort } };
    case "host":
      return { kind: "name", name: target.name, port: target.port };
    case "unix":
      return { kind: "endpoint", endpoint: target };
  }
}
