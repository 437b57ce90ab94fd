/**
 * One check of one server: its name resolved, a connect, and for `tls` a handshake for each name.
 *
 * Owns: the order of probes, and what they come to. A server is well where it can be reached and serves one of its names
 * at least: one that is wrongly set up must not take the others down. It must not count (`server_health.ts` does).
 */

import type { Clock } from "../adapter.ts";
import { type Endpoint, formatEndpoint } from "../address.ts";
import type { IoError } from "../errors.ts";
import type { Certificate, ProbeResult, StartProbe } from "../probe.ts";
import { interleaveFamilies } from "../upstream/address_order.ts";
import { certificateFault } from "./certificate_watch.ts";
import type { CheckPlan } from "./check_plan.ts";
import { failureText } from "./failure_text.ts";
import { HttpExchange } from "./http_exchange.ts";

export interface CheckParts {
  readonly clock: Clock;
  readonly probe: StartProbe;
  /** Addresses of a name, once, later. */
  resolve(name: string, answer: (addresses: readonly string[] | IoError) => void): void;
}

/** What one name, or none, came to. */
export interface NameResult {
  readonly serverName: string | undefined;
  readonly certificate: Certificate | undefined;
  /** The server chose HTTP/2, where it was offered. */
  readonly multiplexes?: boolean | undefined;
  /** Why it is not well, for the log; undefined where it is. */
  readonly error: string | undefined;
}

export interface CheckResult {
  /** Why the server is not well, for the log; undefined where it is. */
  readonly error: string | undefined;
  /** Milliseconds. */
  readonly duration: number;
  /** `tls`: each name that was asked for. */
  readonly names: readonly NameResult[];
}

/** What a check gets beyond its timeout, ms: a probe that runs out of time can say what it was waiting for. */
const LAST_WORD = 20;

type ProbeFailure = Extract<ProbeResult, { ok: false }>;

export class Check {
  readonly #plan: CheckPlan;
  readonly #parts: CheckParts;
  readonly #startedAt: number;
  readonly #names: NameResult[] = [];
  #done: ((result: CheckResult) => void) | undefined;
  #endpoints: Endpoint[] = [];
  #cancelTimer: () => void = () => {};
  #cancelProbe: () => void = () => {};

  /** Starts at once; `done` is called exactly once, unless it is cancelled, and never before the constructor returns. */
  constructor(plan: CheckPlan, parts: CheckParts, done: (result: CheckResult) => void) {
    this.#plan = plan;
    this.#parts = parts;
    this.#done = done;
    this.#startedAt = parts.clock.now();
    const { timeout } = plan.check;
    this.#cancelTimer = parts.clock.after(timeout + LAST_WORD, () => this.#fail(`no answer within ${timeout} ms`));
    if (plan.where.kind === "host") this.#resolve(plan.where.name, plan.where.port);
    else this.#tryAt(plan.where);
  }

  cancel(): void {
    this.#done = undefined;
    this.#cancelTimer();
    this.#cancelProbe();
  }

  #resolve(name: string, port: number): void {
    this.#parts.resolve(name, (answer) => {
      if (this.#done === undefined) return;
      if ("code" in answer) {
        this.#fail(failureText(answer, "connect", this.#plan.check.timeout));
        return;
      }
      this.#endpoints = interleaveFamilies(answer).map((ip) => ({ kind: "tcp", ip, port }));
      this.#tryNext("the name has no address");
    });
  }

  /** The next address; `error` is the result where there is none. */
  #tryNext(error: string): void {
    const endpoint = this.#endpoints.shift();
    if (endpoint === undefined) this.#fail(error);
    else this.#tryAt(endpoint);
  }

  #tryAt(endpoint: Endpoint): void {
    const { check, names, closely, host, bind, prefix } = this.#plan;
    const serverName = names[this.#names.length];
    const exchange = check.type === "http" ? new HttpExchange(check.request, host) : undefined;
    const tls = check.type === "tls" ? { serverName, ...(closely && { closely }) } : undefined;
    const request = { endpoint, timeout: check.timeout, bind, prefix, tls, exchange };
    this.#cancelProbe = this.#parts.probe(request, (result) => {
      if (this.#done === undefined) return;
      if (!result.ok) this.#failed(endpoint, serverName, result);
      else if (tls === undefined) this.#end(exchange?.fault);
      else {
        const { certificate, multiplexes } = result;
        const error = this.#verify(certificate);
        this.#named(endpoint, { serverName, certificate, error, ...(closely && { multiplexes }) });
      }
    });
  }

  #failed(endpoint: Endpoint, serverName: string | undefined, { error, stage }: ProbeFailure): void {
    const { check, where } = this.#plan;
    const at = where.kind === "host" ? ` at ${formatEndpoint(endpoint)}` : "";
    const text = `${failureText(error, stage, check.timeout)}${at}`;
    if (stage === "connect") this.#tryNext(text);
    // No other name makes a server answer that says nothing.
    else if (stage !== "handshake" || error.code === "ETIMEDOUT") this.#fail(text);
    else this.#named(endpoint, { serverName, certificate: undefined, error: text });
  }

  #verify(certificate: Certificate | undefined): string | undefined {
    return this.#plan.check.verify ? certificateFault(certificate, this.#parts.clock.wallTime()) : undefined;
  }

  #named(endpoint: Endpoint, name: NameResult): void {
    this.#names.push(name);
    if (this.#names.length < this.#plan.names.length) this.#tryAt(endpoint);
    else this.#end(this.#namesError());
  }

  /** The first name's failure, where every name has one. */
  #namesError(): string | undefined {
    return this.#names.some(({ error }) => error === undefined) ? undefined : this.#names[0]?.error;
  }

  /** Ends early: unless a name was served before. */
  #fail(error: string): void {
    this.#end(this.#names.some((name) => name.error === undefined) ? undefined : error);
  }

  #end(error: string | undefined): void {
    const done = this.#done;
    this.cancel();
    done?.({ error, duration: this.#parts.clock.now() - this.#startedAt, names: this.#names });
  }
}
