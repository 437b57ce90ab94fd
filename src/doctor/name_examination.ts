/**
 * A name as clients of this machine see it: hosts file, DNS, HTTPS records (RFC 9460).
 *
 * Owns: what is asked for a name, and the findings of the answers. It must not connect.
 */

import { canonicalIp, classifyIp, parseIp } from "../address.ts";
import type { DnsResolver } from "../host.ts";
import { type Finding, finding } from "./finding.ts";
import { bindingFindings } from "./https_record.ts";
import { type Addresses, addressesOf, bindingsOf, dnsAddressesOf } from "./resolving.ts";

export interface NameParts {
  readonly resolver: DnsResolver;
  /** The hosts file's text; empty where there is none. */
  readonly hostsFile: string;
  /** Canonical addresses by which clients here reach the proxy; none: this is the proxy's machine, and nobody's client. */
  readonly proxyAddresses: readonly string[];
  /** Canonical addresses of this machine. */
  readonly ownAddresses: readonly string[];
  /** Where clients connect to. */
  readonly port: number;
}

export async function examineName(name: string, parts: NameParts): Promise<Finding[]> {
  const { resolver, hostsFile, proxyAddresses, port } = parts;
  const [system, dns, bindings] = await Promise.all([
    addressesOf(resolver, name),
    dnsAddressesOf(resolver, name),
    bindingsOf(resolver, name, port),
  ]);
  const inHosts = hostsEntries(hostsFile, name);
  const sources = `hosts file: ${inHosts.join(", ") || "nothing"}; DNS: ${answerText(dns)}`;
  return [
    addressFinding(name, system, proxyAddresses, sources),
    ...familyFindings(name, inHosts, dns, parts),
    ...bindingFindings(name, bindings, proxyAddresses),
  ];
}

/** Addresses that a hosts file gives a name: hosts(5). */
export function hostsEntries(text: string, name: string): string[] {
  const found: string[] = [];
  for (const line of text.split("\n")) {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    const ip = canonicalIp(address ?? "");
    if (ip !== undefined && names.some((one) => one.toLowerCase() === name)) found.push(ip);
  }
  return found;
}

function answerText(answer: Addresses): string {
  return typeof answer === "string" ? answer : answer.join(", ");
}

function addressFinding(name: string, system: Addresses, proxyAddresses: readonly string[], sources: string): Finding {
  if (typeof system === "string") {
    const id = system === "ENOTFOUND" ? "name_unresolved" : "resolver_silent";
    return finding(id, name, `${system} (${sources})`);
  }
  const past = system.filter((address) => !proxyAddresses.includes(address));
  const seen = `it resolves to ${system.join(", ")} (${sources})`;
  if (proxyAddresses.length === 0) return finding("resolves", name, seen);
  if (past.length === 0) return finding("leads_to_proxy", name, seen);
  return finding(past.length === system.length ? "leads_past_proxy" : "leads_partly_past_proxy", name, seen);
}

/** `getaddrinfo` for both families takes the hosts file's word; who asks for IPv6 alone goes on to DNS. */
function familyFindings(
  name: string,
  inHosts: readonly string[],
  dns: Addresses,
  { proxyAddresses, ownAddresses }: NameParts,
): Finding[] {
  if (proxyAddresses.length === 0 || typeof dns === "string") return [];
  if (inHosts.length === 0 || inHosts.some(isIpv6) || !ownAddresses.some(isGlobalIpv6)) return [];
  const past = dns.filter((address) => isIpv6(address) && !proxyAddresses.includes(address));
  return past.length === 0 ? [] : [finding("ipv6_past_hosts", name, `DNS has ${past.join(", ")} for it`)];
}

function isIpv6(address: string): boolean {
  return address.includes(":");
}

function isGlobalIpv6(address: string): boolean {
  const ip = parseIp(address);
  return ip?.family === 6 && classifyIp(ip) === "global";
}
