/**
 * The servers that a connection of a given route may try.
 *
 * Owns: turning a destination into dial targets: the name itself for `direct`, one server, or an upstream's.
 */

import type { Target } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { Choice } from "../upstream/balancer.ts";
import type { DirectPolicy } from "../upstream/direct_policy.ts";
import type { Member } from "../upstream/member.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { DialPlan, DialTarget } from "./dial.ts";

/** One server that the operator named: it may be anywhere. */
export class ServerPlan implements DialPlan {
  #target: DialTarget | undefined;

  /** @param listenerPort where the target has none. */
  constructor(target: Target, listenerPort: number) {
    this.#target = dialTarget(target, listenerPort);
  }

  next(_now: number): DialTarget | undefined {
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

  failed(_now: number, _cause: string): void {}

  answered(_now: number): Member | undefined {
    return undefined;
  }

  abandon(): void {}
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
export class UpstreamPlan implements DialPlan, Choice {
  readonly record: ConnectionRecord;
  readonly tried = new Set<Member>();
  readonly #upstream: Upstream;
  readonly #listenerPort: number;
  #triesLeft: number;
  #member: Member | undefined;

  constructor(upstream: Upstream, record: ConnectionRecord, listenerPort: number) {
    this.#upstream = upstream;
    this.record = record;
    this.#listenerPort = listenerPort;
    this.#triesLeft = upstream.config.nextServer.tries || Infinity;
  }

  next(now: number): DialTarget | "busy" | undefined {
    if (this.#triesLeft === 0) return undefined;
    const member = this.#upstream.take(this, now);
    if (member === undefined || member === "busy") return member;
    this.#triesLeft--;
    this.tried.add(member);
    this.#member = member;
    return dialTarget(member.target, this.#listenerPort);
  }

  remaining(): number {
    return Math.min(this.#triesLeft, this.#upstream.members.length - this.tried.size);
  }

  refuses(): undefined {
    return undefined;
  }

  failed(now: number, cause: string): void {
    this.#member?.failed(now, cause);
    this.abandon();
  }

  answered(now: number): Member | undefined {
    const member = this.#member;
    this.#member = undefined;
    member?.succeeded(now);
    return member;
  }

  abandon(): void {
    this.#member?.release();
    this.#member = undefined;
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
