/**
 * Names that clients will mix up: those at one address of the proxy whose servers differ, while the certificate of one
 * is good for the other, too (connection reuse: RFC 9113 §9.1.1, RFC 7540 §9.1.1).
 *
 * Owns: the comparison. It must not ask servers.
 */

import { type Finding, finding } from "./finding.ts";

/** A routed name, and whom it reaches. */
export interface ServedName {
  readonly name: string;
  /** Names at one address of the proxy have one group. */
  readonly group: string;
  /** Which server it is, in words: the same for those that are served by the same. */
  readonly server: string;
  /** It speaks HTTP/2, whose clients reuse connections for other names; those of HTTP/1.1 do not. */
  readonly multiplexes: boolean;
  /** Where it is; two that share an address are taken for one server. */
  readonly addresses: readonly string[];
  /** The names of the certificate that it shows, as they stand there. */
  readonly certificateNames: readonly string[];
  /** Of that certificate. */
  readonly fingerprint?: string | undefined;
}

/** Pairs that are told; more of them say nothing new. */
const MOST_TOLD = 20;

export function sharedNames(served: readonly ServedName[]): Finding[] {
  const findings: Finding[] = [];
  for (const [index, one] of served.entries()) {
    for (const other of served.slice(index + 1)) {
      if (findings.length === MOST_TOLD) return findings;
      const shown = mixedUp(one, other);
      if (shown !== undefined) findings.push(finding("certificates_share_names", `${one.name}, ${other.name}`, shown));
    }
  }
  return findings;
}

function mixedUp(one: ServedName, other: ServedName): string | undefined {
  if (one.group !== other.group || one.server === other.server) return undefined;
  if (one.addresses.some((address) => other.addresses.includes(address))) return undefined;
  const [holder, held] = isNamed(one, other.name) ? [one, other] : [other, one];
  if (!isNamed(holder, held.name)) return undefined;
  return `the certificate of ${holder.server}, shown for ${holder.name}, is good for ${held.name}, which ${held.server} serves`;
}

function isNamed({ multiplexes, certificateNames }: ServedName, name: string): boolean {
  return multiplexes && certificateNames.some((pattern) => fits(pattern.toLowerCase(), name));
}

/** RFC 9525 §6.3: `*` is one whole label, the leftmost. */
export function fits(pattern: string, name: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === name;
  const dot = name.indexOf(".");
  return dot > 0 && name.slice(dot) === pattern.slice(1);
}
