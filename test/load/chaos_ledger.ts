/**
 * The account of a chaos: every connection, what its client saw, and the one line that the log has of it.
 *
 * Owns: whether the line's reason fits what happened. It collects what does not; it must not stop anything.
 */

import type { LogRecord } from "../conformance/harness/access_log.ts";
import type { RunningProxy } from "../conformance/harness/proxy.ts";

/** What became of a connection, as its client saw it. */
export interface Outcome {
  readonly kind: "whole" | "cut" | "nothing" | "alert" | "left";
  /** When it ended, ms. */
  readonly at: number;
}

export interface Visit {
  /** The client's endpoint. */
  readonly local: string;
  readonly what: string;
  readonly openedAt: number;
  /** A client that reset before it was served may never have been accepted: it may have no line. */
  mayBeUnseen: boolean;
  outcome: Outcome | undefined;
  /** Whether the log may give this reason; asked when the client has ended. */
  readonly fits: (record: LogRecord, visit: Visit) => boolean;
}

export class ChaosLedger {
  /** What was wrong. */
  readonly faults: string[] = [];
  readonly reasons = new Map<string, number>();
  readonly #open = new Map<string, Visit>();
  /** Lines whose client has not ended yet. */
  readonly #lines = new Map<string, LogRecord>();
  /** Those that have had their line. */
  readonly #done = new Set<string>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Begins a visit. */
  enter(visit: Visit): void {
    this.#done.delete(visit.local);
    this.#open.set(visit.local, visit);
    this.#count++;
  }

  /** The log's lines that have come since the last time. */
  read({ log }: RunningProxy): void {
    log.lines.length = 0;
    for (const record of log.records.splice(0)) {
      const local = record.peer ?? record.client;
      this.reasons.set(record.reason, (this.reasons.get(record.reason) ?? 0) + 1);
      if (this.#lines.has(local) || this.#done.has(local)) this.#fault("a second line", record);
      else if (this.#open.has(local)) this.#lines.set(local, record);
      else this.#fault("a line of nobody", record);
    }
    for (const [local, record] of this.#lines) {
      const visit = this.#open.get(local);
      if (visit?.outcome !== undefined) this.#close(visit, record);
    }
  }

  /** Connections whose client has ended and that have no line. */
  missing(): string[] {
    const open = [...this.#open.values()].filter(({ mayBeUnseen }) => !mayBeUnseen);
    return open.map(({ local, what, outcome }) => `${what} ${local}: ${JSON.stringify(outcome)}`);
  }

  #close(visit: Visit, record: LogRecord): void {
    this.#lines.delete(visit.local);
    this.#open.delete(visit.local);
    this.#done.add(visit.local);
    if (!visit.fits(record, visit)) this.#fault(`${visit.what}, which ended as ${visit.outcome?.kind}`, record);
  }

  #fault(what: string, record: LogRecord): void {
    this.faults.push(`${what}: ${JSON.stringify(record)}`);
  }
}
