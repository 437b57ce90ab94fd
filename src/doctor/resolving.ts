/**
 * What DNS and the hosts file say, as promises.
 *
 * Owns: the form of the answers: canonical addresses, or a code. It must not judge.
 */

import { canonicalIp } from "../address.ts";
import type { BindingRecord, DnsResolver, ResolvedAddresses, ResolveFailure } from "../host.ts";

/** Addresses, or the code of why there are none. */
export type Addresses = readonly string[] | string;
export type Bindings = readonly BindingRecord[] | string;

/** As a program on this machine resolves it. */
export function addressesOf(resolver: DnsResolver, name: string): Promise<Addresses> {
  return new Promise((answered) => {
    // What comes late (`more`) is not waited for: the first answer is what a client would use.
    resolver.resolve(name, (outcome) => answered(read(outcome)));
  });
}

/** By DNS alone. */
export function dnsAddressesOf(resolver: DnsResolver, name: string): Promise<Addresses> {
  return new Promise((answered) => resolver.resolveByDns(name, (outcome) => answered(read(outcome))));
}

/** HTTPS records; RFC 9460 §9.1: with a port of its own in front where it is not 443. */
export function bindingsOf(resolver: DnsResolver, name: string, port: number): Promise<Bindings> {
  const asked = port === 443 ? name : `_${port}._https.${name}`;
  return new Promise((answered) =>
    resolver.resolveBindings(asked, (outcome) => answered("code" in outcome ? outcome.code : outcome.bindings)),
  );
}

function read(outcome: ResolvedAddresses | ResolveFailure): Addresses {
  return "code" in outcome ? outcome.code : outcome.addresses.map((address) => canonicalIp(address) ?? address);
}
