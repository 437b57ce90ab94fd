/**
 * One server under checks: its state, and the lines that its results give rise to.
 *
 * Owns: the words, each told once: a state that changed, a name that fails alone, a certificate. It must not schedule.
 */

import { CertificateWatch, daysLeft } from "./certificate_watch.ts";
import type { CheckResult, NameResult } from "./check.ts";
import type { CheckPlan } from "./check_plan.ts";
import { ServerHealth } from "./server_health.ts";
import type { CertificateStatus, ServerStatus } from "./status.ts";

/** What checks know of a server. */
export type CheckedStatus = Omit<ServerStatus, "connections" | "service">;

export class CheckedServer {
  readonly plan: CheckPlan;
  readonly #health: ServerHealth;
  readonly #watches = new Map<string | undefined, CertificateWatch>();
  /** Names that fail, while others do not. */
  readonly #failing = new Set<string | undefined>();
  #since: number | undefined;
  #checkedAt: number | undefined;
  #last: CheckResult | undefined;
  #certificates: readonly NameResult[] = [];

  constructor(plan: CheckPlan) {
    this.plan = plan;
    this.#health = new ServerHealth(plan.check);
  }

  get isDown(): boolean {
    return this.#health.state === "down";
  }

  /**
   * Takes a result at `now` (milliseconds since the epoch).
   * @returns whether it is up or down from now on, if that has changed, and what to tell.
   */
  add(result: CheckResult, now: number): { readonly changed: boolean; readonly lines: readonly string[] } {
    const since = this.#since;
    const wasDown = this.isDown;
    const changed = this.#health.add(result.error === undefined);
    if (changed) this.#since = now;
    this.#checkedAt = now;
    this.#last = result;
    if (result.names.some(({ certificate }) => certificate !== undefined)) this.#certificates = result.names;
    const lines = changed && (wasDown || this.isDown) ? [this.#changeLine(result, since, now)] : [];
    for (const name of result.names) lines.push(...this.#lookAt(name, result, now));
    const { upstream, address } = this.plan;
    return { changed, lines: lines.map((line) => `upstream ${upstream}: ${address}${line}`) };
  }

  #changeLine({ error }: CheckResult, since: number | undefined, now: number): string {
    const { rise, fall } = this.plan.check;
    if (this.isDown) return ` is down after ${count(fall, "failed")}: ${error}`;
    return ` is up again after ${count(rise, "good")}; it was down for ${Math.round((now - (since ?? now)) / 1000)} s`;
  }

  #lookAt({ serverName, certificate, error }: NameResult, result: CheckResult, now: number): string[] {
    const lines: string[] = [];
    if (error === undefined) {
      if (this.#failing.delete(serverName)) lines.push(`: ${serverName} is well again`);
    } else if (result.error === undefined && !this.#failing.has(serverName)) {
      this.#failing.add(serverName);
      lines.push(`: ${serverName} fails while other names are well: ${error}`);
    }
    if (certificate === undefined) return lines;
    let watch = this.#watches.get(serverName);
    if (watch === undefined) {
      watch = new CertificateWatch(this.plan.check.expiryWarning, serverName);
      this.#watches.set(serverName, watch);
    }
    return [...lines, ...watch.look(certificate, now).map((line) => `: ${line}`)];
  }

  /** At `now`, milliseconds since the epoch. */
  status(now: number): CheckedStatus {
    return {
      address: this.plan.address,
      health: this.#health.state,
      since: this.#since,
      checkedAt: this.#checkedAt,
      duration: this.#last?.duration,
      error: this.#last?.error,
      certificates: this.#certificates.flatMap(({ serverName, certificate }): CertificateStatus[] =>
        certificate === undefined ? [] : [{ ...certificate, serverName, daysLeft: daysLeft(certificate, now) }],
      ),
    };
  }
}

function count(checks: number, kind: string): string {
  return `${checks} ${kind} check${checks === 1 ? "" : "s"}`;
}
