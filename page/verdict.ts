/**
 * The state of the proxy in a few words.
 *
 * Owns: the headline, its tone, and the line below. Pure: findings are made by the proxy, not here.
 */

import type { StatusAnswer } from "../src/admin/api.ts";
import type { ServerStatus, UpstreamStatus } from "../src/health/status.ts";
import type { Tone } from "./element.ts";
import { isMeant, stateOf } from "./server_state.ts";
import { clock, count, duration, plural } from "./text.ts";

export interface Verdict {
  readonly tone: Tone;
  readonly headline: string;
  readonly summary: string;
}

/** Days before the end of a certificate from which on it is marked. */
export const EXPIRY_WARNING = 14;

export function verdictOf(status: StatusAnswer, upstreams: readonly UpstreamStatus[] | undefined): Verdict {
  const trouble = status.findings.filter(({ level }) => level === "trouble").length;
  const attention = status.findings.length - trouble;
  const summary = summaryOf(status, upstreams);
  if (trouble > 0) {
    const more = attention === 0 ? "" : `, and ${attention} more to look at`;
    return { tone: "bad", headline: `Trouble: ${plural(trouble, "finding")}${more}`, summary };
  }
  if (attention > 0) {
    return { tone: "warn", headline: `Attention: ${plural(attention, "finding")} to look at`, summary };
  }
  if (status.state === "draining") {
    return { tone: "warn", headline: "Draining: no new connections are taken", summary };
  }
  return { tone: "good", headline: "All is well", summary };
}

function summaryOf({ connections, listeners }: StatusAnswer, upstreams: readonly UpstreamStatus[] | undefined): string {
  const open = `${count(connections.open)} open on ${plural(listeners.length, "listener")}`;
  const servers = upstreams?.flatMap((upstream) => upstream.servers).filter(isMeant) ?? [];
  if (servers.length === 0) return `${open}.`;
  const up = servers.filter((server) => stateOf(server).isIn).length;
  return up === servers.length ? `${open}; ${serversUp(up)}.` : `${open}; ${up} of ${servers.length} servers up.`;
}

function serversUp(up: number): string {
  return up === 1 ? "the one server is up" : `all ${count(up)} servers up`;
}

/** What is said while nobody answers. */
export function unreachable(since: number, lastAnswer: number | undefined): Verdict {
  const shown = lastAnswer === undefined ? "Nothing was heard of it yet" : `What is shown is from ${clock(lastAnswer)}`;
  return {
    tone: "bad",
    headline: `Not reachable since ${clock(since)}`,
    summary: `${shown}. Asking again every two seconds. Is certless running, and is this the right address?`,
  };
}

/** The certificate that ends first. */
export function firstExpiry(server: ServerStatus): ServerStatus["certificates"][number] | undefined {
  return server.certificates.toSorted((a, b) => a.daysLeft - b.daysLeft)[0];
}

/** A certificate's time left, and how much of a worry that is. */
export function expiryOf(daysLeft: number): { readonly tone: Tone; readonly text: string } {
  if (daysLeft < 0) return { tone: "bad", text: `expired ${plural(-daysLeft, "day")} ago` };
  return { tone: daysLeft < EXPIRY_WARNING ? "warn" : "quiet", text: `${plural(daysLeft, "day")} left` };
}

/** `up 3 d 4 h`. */
export function uptimeOf({ now, startedAt }: StatusAnswer): string {
  return `up ${duration(now - startedAt)}`;
}
