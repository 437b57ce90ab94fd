/**
 * The servers that a connection of a given route may try.
 *
 * Owns: turning a destination into dial targets: the name itself for `direct`, one server, or an upstream's.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import type { RouteOptions, Target } from "../config/config.ts";
import type { ConnectionRecord } from "../connection_record.ts";
import type { Choice } from "../upstream/balancer.ts";
import type { DirectPolicy } from "../upstream/direct_policy.ts";
import type { Member } from "../upstream/member.ts";
import { isOwnFailure } from "../upstream/own_failure.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Place } from "../upstream/waiting_line.ts";
import { DialPlan, type DialTarget, type Waiting } from "./dial_plan.ts";
import type { SessionSettings } from "./session_settings.ts";

/** One server that the operator named: it may be anywhere. */
export class ServerPlan extends DialPlan {
  #target: DialTarget | undefined;

  constructor(target: DialTarget) {
    super();
    this.#target = target;
  }

  next(_now: number): DialTarget | undefined {
    const target = this.#target;
    this.#target = undefined;
    return target;
  }

  remaining(): number {
    return this.#target === undefined ? 0 : 1;
  }
}

/** `direct`: the name that the client asked for, and no address that the policy refuses. */
export class DirectPlan extends ServerPlan {
  readonly #policy: DirectPolicy;
  readonly #allowPrivate: boolean;

  constructor(name: string, port: number, policy: DirectPolicy, allowPrivate: boolean) {
    super({ kind: "name", name, port });
    this.#policy = policy;
    this.#allowPrivate = allowPrivate;
  }

  override refuses(ip: string, port: number): string | undefined {
    return this.#policy.refuses(ip, port, this.#allowPrivate);
  }
}

/** An upstream: servers as its balancer chooses them, each at most once. */
export class UpstreamPlan extends DialPlan implements Choice {
  readonly record: ConnectionRecord;
  readonly tried = new Set<Member>();
  override readonly nextTimeout: number;
  readonly #upstream: Upstream;
  readonly #listenerPort: number;
  #triesLeft: number;
  #member: Member | undefined;
  /** When it was chosen, ms. */
  #chosenAt = 0;
  #place: Place | undefined;
  /** They took the connection and closed it. Perhaps for what the client said: only another's answer tells. */
  #suspects: Member[] | undefined;

  constructor(upstream: Upstream, record: ConnectionRecord, listenerPort: number) {
    super();
    this.#upstream = upstream;
    this.record = record;
    this.#listenerPort = listenerPort;
    this.#triesLeft = upstream.config.nextServer.tries || Infinity;
    this.nextTimeout = upstream.config.nextServer.timeout || Infinity;
  }

  next(now: number): DialTarget | "busy" | undefined {
    if (this.#triesLeft === 0) return undefined;
    const mayTry = this.#place?.isNext ?? this.#upstream.line?.isFree ?? true;
    const member = mayTry ? this.#upstream.take(this, now) : "busy";
    if (member === "busy") return member;
    this.#leaveLine();
    if (member === undefined) return undefined;
    this.#triesLeft--;
    this.tried.add(member);
    this.#member = member;
    this.#chosenAt = now;
    return dialTarget(member.target, this.#listenerPort);
  }

  remaining(): number {
    return Math.min(this.#triesLeft, this.#upstream.members.length - this.tried.size);
  }

  override connected(now: number): void {
    const { observer, name } = this.#upstream;
    if (this.#member !== undefined) observer?.serverConnected(name, this.#member.address, now - this.#chosenAt);
  }

  override failed(now: number, cause: string): void {
    this.#observeFailure(cause);
    if (!isOwnFailure(cause)) this.#member?.failed(now, cause);
    this.#release();
  }

  override get mayLose(): boolean {
    return this.#suspects !== undefined || (this.#triesLeft > 0 && this.#upstream.hasOther(this.tried));
  }

  override lost(): void {
    if (this.#member === undefined) return;
    this.#observeFailure("closed");
    this.#suspects ??= [];
    this.#suspects.push(this.#member);
    this.#release();
  }

  override settle(heard: boolean, now: number): Member | undefined {
    const member = this.#member;
    this.#member = undefined;
    member?.succeeded(now);
    if (member !== undefined) this.#upstream.observer?.serverTook(this.#upstream.name, member.address);
    if (heard) for (const suspect of this.#suspects ?? []) suspect.failed(now, "closed before its first byte");
    return member;
  }

  override wait(): Waiting | undefined {
    const { line } = this.#upstream;
    this.#place = line?.enter(this.tried.size > 0);
    return line === undefined || this.#place === undefined
      ? undefined
      : { place: this.#place, timeout: line.limits.timeout };
  }

  override describe(now: number): string {
    return this.#upstream.describe(this, now);
  }

  override abandon(): void {
    this.#leaveLine();
    this.#member?.undecided();
    this.#release();
  }

  #observeFailure(cause: string): void {
    const { observer, name } = this.#upstream;
    if (this.#member !== undefined) observer?.serverFailed(name, this.#member.address, cause);
  }

  #release(): void {
    const member = this.#member;
    this.#member = undefined;
    member?.release();
  }

  #leaveLine(): void {
    this.#place?.leave();
    this.#place = undefined;
  }
}

/** Whom to dial for a route that does not reject; undefined where only a name would tell. @param upstream that it leads to. */
export function serverPlan(
  { to, allowPrivate }: RouteOptions,
  upstream: Upstream | undefined,
  record: ConnectionRecord,
  { port, directPolicy }: SessionSettings,
): DialPlan | undefined {
  const name = record.serverName;
  switch (to.kind) {
    case "reject":
      return undefined;
    case "direct":
      return name === undefined ? undefined : new DirectPlan(name, to.port ?? port, directPolicy, allowPrivate);
    case "upstream":
      return new UpstreamPlan(upstream!, record, port);
    default:
      return new ServerPlan(dialTarget(to, port));
  }
}

/** Of the configuration's targets that are the same for every connection. */
const fixedTargets = new WeakMap<Target, DialTarget>();

/** @param listenerPort where the target has none. */
function dialTarget(target: Target, listenerPort: number): DialTarget {
  const known = fixedTargets.get(target);
  if (known !== undefined) return known;
  const made = makeDialTarget(target, listenerPort);
  if (target.kind !== "ip" || target.port !== undefined) fixedTargets.set(target, made);
  return made;
}

function makeDialTarget(target: Target, listenerPort: number): DialTarget {
  switch (target.kind) {
    case "ip":
      return endpointTarget({ kind: "tcp", ip: target.ip, port: target.port ?? listenerPort });
    case "host":
      return { kind: "name", name: target.name, port: target.port };
    case "unix":
      return endpointTarget(target);
  }
}

function endpointTarget(endpoint: Endpoint): DialTarget {
  return { kind: "endpoint", endpoint, text: formatEndpoint(endpoint) };
}
