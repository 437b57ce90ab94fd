/**
 * Reaching a server: one connection out of several servers, names and addresses.
 *
 * Owns: the order of attempts. Servers are tried one after another, each within its share of the time that is
 * left; the addresses of one name race as RFC 8305 §5 says. It must not dial: it says what to do next, and is told what happened.
 */

import { canonicalIp, type Endpoint, formatEndpoint } from "../address.ts";
import type { UpstreamAttempt } from "../connection_record.ts";
import type { IoError } from "../errors.ts";
import type { Reason } from "../reason.ts";
import { interleaveFamilies } from "../upstream/address_order.ts";
import type { Member } from "../upstream/member.ts";
import { type Step, WAIT } from "./step.ts";

/** RFC 8305 §5: Connection Attempt Delay, milliseconds. */
export const ATTEMPT_DELAY = 250;

/** Where one server is. */
export type DialTarget =
  | { readonly kind: "endpoint"; readonly endpoint: Endpoint }
  | { readonly kind: "name"; readonly name: string; readonly port: number };

/** The servers that a connection may try. */
export interface DialPlan {
  /** The next server; `busy` where all that are left have no room; undefined when all were tried. */
  next(now: number): DialTarget | "busy" | undefined;
  /** How many more `next` will give at most; shares out the time. */
  remaining(): number;
  /** Why a resolved address must not be dialled; undefined where it may. */
  refuses(ip: string, port: number): string | undefined;
  /** The server that `next` gave could not be reached. */
  failed(now: number, cause: string): void;
  /** It could. Whom the connection has from now on and must release, where that is counted. */
  answered(now: number): Member | undefined;
  /** The connection has ended before. */
  abandon(): void;
}

/** No server was reached. */
export interface DialFailure {
  readonly kind: "failed";
  readonly reason: Reason;
  readonly detail: string;
}

export class Dial {
  /** When `timedOut` must be called, ms. */
  deadline: number;
  readonly #plan: DialPlan;
  readonly #attempts: UpstreamAttempt[];
  readonly #overallDeadline: number;
  #serverDeadline = Infinity;
  #nextAttemptAt = Infinity;
  /** Addresses of the current server that were not dialled yet. */
  #endpoints: Endpoint[] = [];
  /** By number of attempt. */
  readonly #pending = new Map<number, UpstreamAttempt>();
  #resolving: { readonly name: string; readonly port: number } | undefined;
  #attemptCount = 0;
  #failure: DialFailure = { kind: "failed", reason: "connect_failed", detail: "there is no server to try" };

  /** @param attempts of the connection's record, which the dial fills in. @param deadline for everything, ms. */
  constructor(plan: DialPlan, attempts: UpstreamAttempt[], deadline: number) {
    this.#plan = plan;
    this.#attempts = attempts;
    this.#overallDeadline = deadline;
    this.deadline = deadline;
  }

  begin(now: number): Step | DialFailure {
    return this.#nextServer(now);
  }

  /** Answers `name`; an answer that comes after its server was given up is nothing. */
  resolved(name: string, addresses: readonly string[], now: number): Step | DialFailure {
    const target = this.#resolving;
    if (target?.name !== name) return WAIT;
    this.#resolving = undefined;
    let refusal = "";
    // Canonical, each once: an IPv4-mapped answer is the IPv4 address, for the policy and for the log alike.
    const canonical = new Set(addresses.map(canonicalIp).filter((ip) => ip !== undefined));
    for (const ip of interleaveFamilies([...canonical])) {
      const cause = this.#plan.refuses(ip, target.port);
      if (cause === undefined) this.#endpoints.push({ kind: "tcp", ip, port: target.port });
      else refusal = `${target.name} resolved to ${ip}: ${cause}`;
    }
    if (this.#endpoints.length > 0) return this.#nextAddress(now);
    const reason = refusal === "" ? "resolve_failed" : "address_refused";
    this.#plan.failed(now, reason);
    this.#attempts.push({ address: target.name, outcome: reason });
    this.#failure = { kind: "failed", reason, detail: refusal || `${target.name} has no address` };
    return this.#nextServer(now);
  }

  resolveFailed(name: string, error: IoError, now: number): Step | DialFailure {
    const target = this.#resolving;
    if (target?.name !== name) return WAIT;
    this.#resolving = undefined;
    const reason = error.code === "ETIMEOUT" || error.code === "ETIMEDOUT" ? "resolve_timeout" : "resolve_failed";
    this.#plan.failed(now, error.code);
    this.#attempts.push({ address: target.name, outcome: error.code });
    this.#failure = { kind: "failed", reason, detail: `Cannot resolve ${target.name}: ${error.code}` };
    return this.#nextServer(now);
  }

  /** The attempt that counts; the others end as `abandoned`. Whom the connection must release in the end, if anybody. */
  connected(attempt: number, now: number): Member | undefined {
    for (const [number, pending] of this.#pending) if (number !== attempt) pending.outcome = "abandoned";
    this.#pending.clear();
    // The record's last attempt is the server that answered.
    const answered = this.#attempts.findLastIndex((entry) => entry.outcome === "");
    if (answered >= 0) this.#attempts.push(...this.#attempts.splice(answered, 1));
    this.deadline = Infinity;
    return this.#plan.answered(now);
  }

  /** The connection ends before a server was reached. */
  abandon(): void {
    this.#plan.abandon();
  }

  connectFailed(attempt: number, error: IoError, now: number): Step | DialFailure {
    const failed = this.#pending.get(attempt);
    if (failed === undefined) return WAIT;
    this.#pending.delete(attempt);
    failed.outcome = error.code;
    const reason = error.code === "ETIMEDOUT" ? "connect_timeout" : "connect_failed";
    this.#failure = { kind: "failed", reason, detail: `Cannot connect to ${failed.address}: ${error.code}` };
    if (this.#endpoints.length > 0) return this.#nextAddress(now);
    if (this.#pending.size > 0) return WAIT;
    this.#plan.failed(now, error.code);
    return this.#nextServer(now);
  }

  timedOut(now: number): Step | DialFailure {
    if (now >= this.#overallDeadline || now >= this.#serverDeadline) {
      this.#plan.failed(now, "ETIMEDOUT");
      this.#timeOutServer();
      return now >= this.#overallDeadline ? this.#failure : this.#nextServer(now);
    }
    if (now >= this.#nextAttemptAt) return this.#nextAddress(now);
    this.#setDeadline();
    return WAIT;
  }

  #timeOutServer(): void {
    for (const pending of this.#pending.values()) {
      pending.outcome = "ETIMEDOUT";
      this.#failure = { kind: "failed", reason: "connect_timeout", detail: `No answer from ${pending.address}` };
    }
    this.#pending.clear();
    if (this.#resolving === undefined) return;
    const name = this.#resolving.name;
    this.#attempts.push({ address: name, outcome: "ETIMEOUT" });
    this.#failure = { kind: "failed", reason: "resolve_timeout", detail: `No answer from the resolver for ${name}` };
    this.#resolving = undefined;
  }

  #nextServer(now: number): Step | DialFailure {
    this.#endpoints = [];
    this.#nextAttemptAt = Infinity;
    const shares = this.#plan.remaining();
    const target = this.#plan.next(now);
    if (target === undefined) return this.#failure;
    if (target === "busy") return { kind: "failed", reason: "upstream_busy", detail: this.#failure.detail };
    this.#serverDeadline = now + (this.#overallDeadline - now) / Math.max(1, shares);
    if (target.kind === "endpoint") {
      this.#endpoints = [target.endpoint];
      return this.#nextAddress(now);
    }
    this.#resolving = target;
    this.#setDeadline();
    return { kind: "resolve", name: target.name };
  }

  #nextAddress(now: number): Step {
    const endpoint = this.#endpoints.shift()!;
    const attempt: UpstreamAttempt = { address: formatEndpoint(endpoint), outcome: "" };
    const alongside = this.#pending.size > 0;
    this.#attempts.push(attempt);
    this.#pending.set(++this.#attemptCount, attempt);
    this.#nextAttemptAt = this.#endpoints.length > 0 ? now + ATTEMPT_DELAY : Infinity;
    this.#setDeadline();
    return { kind: "connect", attempt: this.#attemptCount, endpoint, alongside };
  }

  #setDeadline(): void {
    this.deadline = Math.min(this.#overallDeadline, this.#serverDeadline, this.#nextAttemptAt);
  }
}
