/**
 * Reaching a server: one connection out of several servers, names and addresses.
 *
 * Owns: the order of attempts. Servers are tried one after another, each within its share of the time that is
 * left; the addresses of one name race as RFC 8305 §5 says. It must not dial: it says what to do next, and is told what happened.
 */

import { canonicalIp, type Endpoint, formatEndpoint } from "../address.ts";
import type { UpstreamAttempt } from "../connection_record.ts";
import { type IoError, NEED_MORE } from "../errors.ts";
import type { Opening, OpeningDone } from "../opening/opening.ts";
import type { Reason } from "../reason.ts";
import type { AddressMemory } from "../upstream/address_memory.ts";
import { interleaveFamilies, orderByExperience } from "../upstream/address_order.ts";
import { fakeIpNote } from "../upstream/fake_ip.ts";
import type { Member } from "../upstream/member.ts";
import { isOwnFailure } from "../upstream/own_failure.ts";
import type { DialPlan } from "./dial_plan.ts";
import { type Step, WAIT } from "./step.ts";

/** RFC 8305 §5: Connection Attempt Delay, milliseconds. */
export const ATTEMPT_DELAY = 250;

/** Milliseconds between two looks whether a server has room, should nobody tell. */
export const QUEUE_POLL = 500;

const NO_ENDPOINTS: readonly Endpoint[] = [];
const NO_SERVER: DialFailure = { kind: "failed", reason: "connect_failed", detail: "there is no server to try" };
const NOTHING_SENT: Step = { kind: "exchange", bytes: new Uint8Array(0) };

/** No server was reached. */
export interface DialFailure {
  readonly kind: "failed";
  readonly reason: Reason;
  readonly detail: string;
}

/** An attempt that is under way, in a list of them. */
interface PendingAttempt {
  readonly number: number;
  readonly entry: UpstreamAttempt;
  earlier: PendingAttempt | undefined;
}

export class Dial {
  /** When `timedOut` must be called, ms. */
  deadline: number;
  /** The client has said all that it will: its FIN must reach the server with it. */
  clientEnded = false;
  readonly #plan: DialPlan;
  readonly #attempts: UpstreamAttempt[];
  #overallDeadline: number;
  /** No further server is tried then. */
  #nextUntil = Infinity;
  #waitingSince = Infinity;
  #waitingUntil = Infinity;
  readonly #memory: AddressMemory | undefined;
  #serverDeadline = Infinity;
  #nextAttemptAt = Infinity;
  #leadsTo: string | undefined;
  /** What is said to the server that connected; there only while it is. */
  #opening: Opening | undefined;
  /** Addresses of the current server; from `#nextEndpoint` on they were not dialled yet. */
  #endpoints: readonly Endpoint[] = NO_ENDPOINTS;
  #nextEndpoint = 0;
  /** They are a name's. */
  #isByName = false;
  /** The latest attempt that is under way. */
  #pending: PendingAttempt | undefined;
  #resolving: { readonly name: string; readonly port: number } | undefined;
  #attemptCount = 0;
  #failure: DialFailure = NO_SERVER;

  /**
   * @param attempts of the connection's record, which the dial fills in. @param deadline for everything, ms.
   * @param memory of how the addresses of names have answered so far.
   */
  constructor(plan: DialPlan, attempts: UpstreamAttempt[], deadline: number, memory?: AddressMemory) {
    this.#memory = memory;
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
    const endpoints: Endpoint[] = [];
    for (const ip of interleaveFamilies([...canonical])) {
      const cause = this.#plan.refuses(ip, target.port);
      if (cause === undefined) endpoints.push({ kind: "tcp", ip, port: target.port });
      else refusal = `${target.name} resolved to ${ip}: ${cause}`;
    }
    if (endpoints.length > 0) {
      this.#endpoints = orderByExperience(endpoints, this.#memory, now);
      this.#isByName = true;
      return this.#nextAddress(now);
    }
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

  /** The attempt that counts; the others end as `abandoned`. */
  connected(attempt: number, now: number): void {
    if (this.#isByName) this.#learn(attempt, now);
    for (let one = this.#pending; one !== undefined; one = one.earlier) {
      if (one.number !== attempt) one.entry.outcome = "abandoned";
    }
    this.#pending = undefined;
    this.#plan.connected(now);
    this.#putAnsweredLast();
    this.deadline = Infinity;
  }

  /** The record's last attempt is the server that answered. */
  #putAnsweredLast(): void {
    const last = this.#attempts.length - 1;
    const answered =
      this.#attempts[last]?.outcome === "" ? last : this.#attempts.findIndex(({ outcome }) => outcome === "");
    if (answered >= 0 && answered < last) this.#attempts.push(...this.#attempts.splice(answered, 1));
  }

  /** Something is to be said to the server that connected; its share of the time goes on. */
  open(opening: Opening): Step {
    this.#opening = opening;
    this.deadline = Math.min(this.#overallDeadline, this.#serverDeadline);
    return { kind: "exchange", bytes: opening.begin() };
  }

  get isOpening(): boolean {
    return this.#opening !== undefined;
  }

  /** What the server answered; `done` where the way is open. */
  opened(bytes: Uint8Array, now: number): Step | DialFailure | OpeningDone {
    const answer = this.#opening?.received(bytes);
    if (answer === undefined) return WAIT;
    if (answer === NEED_MORE) return NOTHING_SENT;
    if (answer.kind === "send") return { kind: "exchange", bytes: answer.bytes };
    if (answer.kind === "failed") return this.#openingFailed(answer.reason, answer.detail, answer.reason, now);
    this.#opening = undefined;
    return answer;
  }

  /** The server closed instead. */
  openingGone(error: IoError | undefined, now: number): Step | DialFailure {
    const detail = `${this.#attempts.at(-1)!.address} closed before the way was open`;
    return this.#openingFailed("connect_failed", detail, error?.code ?? "closed", now);
  }

  /** It counts as a server that did not connect. @param outcome for the attempt's record. */
  #openingFailed(reason: Reason, detail: string, outcome: string, now: number): Step | DialFailure {
    this.#opening = undefined;
    this.#attempts.at(-1)!.outcome = outcome;
    this.#failure = { kind: "failed", reason, detail };
    this.#plan.failed(now, outcome);
    return now >= this.#overallDeadline ? this.#failure : this.#nextServer(now);
  }

  /** Until when it may be seen whether the server that connected speaks before it closes; undefined: it need not be seen. */
  offerUntil(now: number): number | undefined {
    const until = Math.min(this.#overallDeadline, this.#nextUntil);
    return now < until && !this.clientEnded && this.#plan.mayLose ? until : undefined;
  }

  /** The server that connected stays. Whom the connection must release in the end, if anybody. @param heard it has spoken. */
  settle(heard: boolean, now: number): Member | undefined {
    return this.#plan.settle(heard, now);
  }

  /** The server that connected has closed before its first byte. */
  lost(outcome: string, now: number): Step | DialFailure {
    const attempt = this.#attempts.at(-1)!;
    attempt.outcome = outcome;
    this.#failure = { kind: "failed", reason: "server_closed", detail: `${attempt.address}: ${outcome}` };
    this.#plan.lost();
    return this.#nextServer(now);
  }

  /** One that began earlier and was overtaken had `ATTEMPT_DELAY` to answer. */
  #learn(attempt: number, now: number): void {
    for (let one = this.#pending; one !== undefined; one = one.earlier) {
      if (one.number === attempt) this.#memory?.answered(one.entry.address);
      else if (one.number < attempt) this.#memory?.failed(one.entry.address, now);
    }
  }

  /** The connection ends before a server was reached. */
  abandon(): void {
    this.#plan.abandon();
  }

  /** A server may have room for a connection that waits. */
  freed(now: number): Step | DialFailure {
    return this.#waitingUntil === Infinity ? WAIT : this.#nextServer(now);
  }

  connectFailed(attempt: number, error: IoError, now: number): Step | DialFailure {
    const failed = this.#take(attempt);
    if (failed === undefined) return WAIT;
    failed.outcome = error.code;
    const reason = error.code === "ETIMEDOUT" ? "connect_timeout" : "connect_failed";
    if (this.#isByName && !isOwnFailure(error.code)) this.#memory?.failed(failed.address, now);
    this.#failure = {
      kind: "failed",
      reason,
      detail: this.#withNote(`Cannot connect to ${failed.address}: ${error.code}`, failed.address),
    };
    if (this.#nextEndpoint < this.#endpoints.length) return this.#nextAddress(now);
    if (this.#pending !== undefined) return WAIT;
    this.#plan.failed(now, error.code);
    return this.#nextServer(now);
  }

  /** The attempt of that number, which is under way no more. */
  #take(number: number): UpstreamAttempt | undefined {
    let later: PendingAttempt | undefined;
    for (let one = this.#pending; one !== undefined; one = one.earlier) {
      if (one.number === number) {
        if (later === undefined) this.#pending = one.earlier;
        else later.earlier = one.earlier;
        return one.entry;
      }
      later = one;
    }
    return undefined;
  }

  timedOut(now: number): Step | DialFailure {
    if (this.#waitingUntil !== Infinity) return this.#nextServer(now);
    if (this.#opening !== undefined) {
      const detail = `No answer from ${this.#attempts.at(-1)!.address}`;
      return this.#openingFailed("connect_timeout", detail, "ETIMEDOUT", now);
    }
    if (now >= this.#overallDeadline || now >= this.#serverDeadline) {
      this.#plan.failed(now, "ETIMEDOUT");
      this.#timeOutServer(now);
      return now >= this.#overallDeadline ? this.#failure : this.#nextServer(now);
    }
    if (now >= this.#nextAttemptAt) return this.#nextAddress(now);
    this.#setDeadline();
    return WAIT;
  }

  /** A name's address may be one that a tool made up: nothing else explains that nobody is there. */
  #withNote(detail: string, address: string): string {
    const note = this.#isByName ? fakeIpNote(address.replace(/:\d+$/, "").replace(/[[\]]/g, "")) : "";
    return note === "" ? detail : `${detail}; ${note}`;
  }

  #timeOutServer(now: number): void {
    for (let one = this.#pending; one !== undefined; one = one.earlier) {
      one.entry.outcome = "ETIMEDOUT";
      const { address } = one.entry;
      if (this.#isByName) this.#memory?.failed(address, now);
      const detail = this.#withNote(`No answer from ${address}`, address);
      this.#failure = { kind: "failed", reason: "connect_timeout", detail };
    }
    this.#pending = undefined;
    if (this.#resolving === undefined) return;
    const name = this.#resolving.name;
    this.#attempts.push({ address: name, outcome: "ETIMEOUT" });
    this.#failure = { kind: "failed", reason: "resolve_timeout", detail: `No answer from the resolver for ${name}` };
    this.#resolving = undefined;
  }

  #nextServer(now: number): Step | DialFailure {
    this.#endpoints = NO_ENDPOINTS;
    this.#nextEndpoint = 0;
    this.#isByName = false;
    this.#nextAttemptAt = Infinity;
    if (now >= this.#nextUntil) return this.#failure;
    const shares = this.#plan.remaining();
    const target = this.#plan.next(now);
    if (target === "busy") return this.#wait(now);
    this.#waited(now);
    if (target === undefined) return this.#exhausted(now);
    if (this.#nextUntil === Infinity) this.#nextUntil = now + this.#plan.nextTimeout;
    this.#leadsTo = target.leadsTo;
    // The last one may take all the time there is.
    const end = shares > 1 ? Math.min(this.#overallDeadline, this.#nextUntil) : this.#overallDeadline;
    this.#serverDeadline = now + (end - now) / Math.max(1, shares);
    if (target.kind === "endpoint") return this.#connect(target.endpoint, target.text, now);
    this.#resolving = target;
    this.#setDeadline();
    return { kind: "resolve", name: target.name };
  }

  /** No server is left to try. Where none was tried at all, none is in service. */
  #exhausted(now: number): DialFailure {
    if (this.#attempts.length > 0) return this.#failure;
    return { kind: "failed", reason: "upstream_down", detail: this.#plan.describe(now) };
  }

  /** All servers that are left have no room. */
  #wait(now: number): Step | DialFailure {
    if (this.#waitingUntil !== Infinity) {
      if (now >= this.#waitingUntil) return this.#waitedTooLong(now);
      this.deadline = Math.min(this.#waitingUntil, now + QUEUE_POLL);
      return WAIT;
    }
    const waiting = this.#plan.wait();
    if (waiting === undefined) return { kind: "failed", reason: "upstream_busy", detail: this.#plan.describe(now) };
    this.#waitingSince = now;
    this.#waitingUntil = now + waiting.timeout;
    // Somebody may have left between the two.
    const step = this.#nextServer(now);
    return step.kind === "wait" ? { kind: "queue", place: waiting.place } : step;
  }

  #waitedTooLong(now: number): DialFailure {
    const detail = this.#plan.describe(now);
    this.#plan.abandon();
    return { kind: "failed", reason: "queue_timeout", detail };
  }

  /** The time to connect is counted without the time in the line. */
  #waited(now: number): void {
    if (this.#waitingUntil === Infinity) return;
    this.#overallDeadline += now - this.#waitingSince;
    this.#nextUntil += now - this.#waitingSince;
    this.#waitingUntil = Infinity;
  }

  #nextAddress(now: number): Step {
    return this.#connect(this.#endpoints[this.#nextEndpoint++]!, undefined, now);
  }

  #connect(endpoint: Endpoint, text: string | undefined, now: number): Step {
    const address = text ?? formatEndpoint(endpoint);
    const attempt: UpstreamAttempt = {
      address: this.#leadsTo === undefined ? address : `${this.#leadsTo} via ${address}`,
      outcome: "",
    };
    const alongside = this.#pending !== undefined;
    this.#attempts.push(attempt);
    this.#pending = { number: ++this.#attemptCount, entry: attempt, earlier: this.#pending };
    this.#nextAttemptAt = this.#nextEndpoint < this.#endpoints.length ? now + ATTEMPT_DELAY : Infinity;
    this.#setDeadline();
    return { kind: "connect", attempt: this.#attemptCount, endpoint, alongside };
  }

  #setDeadline(): void {
    this.deadline = Math.min(this.#overallDeadline, this.#serverDeadline, this.#nextAttemptAt);
  }
}
