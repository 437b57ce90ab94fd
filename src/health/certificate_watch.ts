/**
 * What an operator should know of a server's certificate, told once.
 *
 * Owns: which lines a certificate gives rise to, and that none comes twice: expiry (once a day), a name that it is not
 * for, a chain that is not trusted, another issuer than before. It must not decide whether a server is well.
 */

import { escapeText } from "../log/escape.ts";
import type { Certificate } from "../probe.ts";

const DAY = 86_400_000;

/** Whole days until a certificate expires at `now` (milliseconds since the epoch); negative once it has. */
export function daysLeft({ notAfter }: Certificate, now: number): number {
  return Math.floor((notAfter - now) / DAY);
}

/** Why `verify` would not take a certificate at `now`; undefined where it would. */
export function certificateFault(certificate: Certificate | undefined, now: number): string | undefined {
  if (certificate === undefined) return "the server showed no certificate";
  const { notBefore, notAfter, mismatch, untrusted } = certificate;
  if (!(notAfter > now)) return `the certificate expired on ${day(notAfter)}`;
  if (!(notBefore <= now)) return `the certificate is valid from ${day(notBefore)} only`;
  if (mismatch !== undefined) return `the certificate does not fit: ${escapeText(mismatch)}`;
  return untrusted === undefined ? undefined : `the certificate is not trusted: ${escapeText(untrusted)}`;
}

/** `2026-12-01`; a date that could not be read is said to be none. */
export function day(time: number): string {
  return Number.isFinite(time) ? new Date(time).toISOString().slice(0, 10) : "an unknown date";
}

export class CertificateWatch {
  readonly #warning: number;
  readonly #of: string;
  readonly #serverName: string | undefined;
  #issuer: string | undefined;
  #daysTold = Infinity;
  #mismatch: string | undefined;
  #untrusted: string | undefined;

  /** @param warning milliseconds before the end. @param serverName the name that was asked for. */
  constructor(warning: number, serverName: string | undefined) {
    this.#warning = warning;
    this.#serverName = serverName;
    this.#of = serverName === undefined ? "the certificate" : `the certificate for ${serverName}`;
  }

  /** Looks at what the server showed at `now` (milliseconds since the epoch). @returns what to tell. */
  look(certificate: Certificate, now: number): string[] {
    return [
      this.#lookAtIssuer(certificate),
      this.#lookAtMismatch(certificate),
      this.#lookAtTrust(certificate),
      this.#lookAtExpiry(certificate, now),
    ].filter((line) => line !== undefined);
  }

  #lookAtIssuer({ issuer }: Certificate): string | undefined {
    const before = this.#issuer;
    this.#issuer = issuer;
    if (before === undefined || before === issuer) return undefined;
    return `${this.#of} now comes from ${quoted(issuer)}, before from ${quoted(before)}`;
  }

  #lookAtMismatch({ mismatch }: Certificate): string | undefined {
    const before = this.#mismatch;
    this.#mismatch = mismatch;
    if (mismatch === undefined || mismatch === before) return undefined;
    return `the certificate does not fit ${this.#serverName ?? "it"}: ${escapeText(mismatch)}`;
  }

  #lookAtTrust({ untrusted }: Certificate): string | undefined {
    const before = this.#untrusted;
    this.#untrusted = untrusted;
    if (untrusted === undefined || untrusted === before) return undefined;
    return `${this.#of} is not trusted on this machine: ${escapeText(untrusted)}`;
  }

  #lookAtExpiry(certificate: Certificate, now: number): string | undefined {
    const { notAfter } = certificate;
    if (notAfter - now > this.#warning) {
      this.#daysTold = Infinity;
      return undefined;
    }
    const left = notAfter > now ? daysLeft(certificate, now) : -1;
    if (left >= this.#daysTold) return undefined;
    this.#daysTold = left;
    if (left < 0) return `${this.#of} expired on ${day(notAfter)}`;
    const when = left === 0 ? "within a day" : `in ${left} ${left === 1 ? "day" : "days"}`;
    return `${this.#of} expires ${when} (${day(notAfter)})`;
  }
}

function quoted(text: string): string {
  return `"${escapeText(text)}"`;
}
