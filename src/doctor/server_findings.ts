/**
 * What the servers of routed names show: whether they answer, and with which certificate.
 *
 * Owns: the findings of one answer. The words of a failure are the health check's.
 */

import { certificateFault, day, daysLeft } from "../health/certificate_watch.ts";
import type { CheckResult } from "../health/check.ts";
import { escapeText } from "../log/escape.ts";
import type { Certificate } from "../probe.ts";
import { type Finding, finding } from "./finding.ts";

/** Days before its end at which a certificate is worth a warning. */
const SOON = 14;

/** @param server where the name leads, in words. @param now milliseconds since the epoch. */
export function serverFindings(name: string, server: string, { error, names }: CheckResult, now: number): Finding[] {
  const certificate = names[0]?.certificate;
  if (certificate !== undefined) return certificateFindings(name, server, certificate, now);
  if (error === undefined && names.length === 0)
    return [finding("server_well", name, `${server}: it takes connections`)];
  return [finding("server_unreachable", name, `${server}: ${error ?? "it showed no certificate"}`)];
}

export function certificateFindings(name: string, server: string, certificate: Certificate, now: number): Finding[] {
  const fault = certificateFault({ ...certificate, untrusted: undefined }, now);
  if (fault !== undefined) {
    const found = finding("certificate_unfit", name, `${server}: ${fault}`);
    return certificate.notBefore > now ? [found, clockFinding(name, certificate, now)] : [found];
  }
  const left = daysLeft(certificate, now);
  const end = `${left} days left, until ${day(certificate.notAfter)}, by ${escapeText(certificate.issuer)}`;
  const found = finding(left < SOON ? "certificate_ends" : "server_well", name, `${server}: ${end}`);
  if (certificate.untrusted === undefined) return [found];
  return [found, finding("certificate_untrusted", name, `${server}: ${escapeText(certificate.untrusted)}`)];
}

function clockFinding(name: string, { notBefore }: Certificate, now: number): Finding {
  const seen = `it is ${day(now)} here, and a certificate begins on ${day(notBefore)}: one of the two is early`;
  return finding("clock", name, seen);
}
