/**
 * One name as a client on this machine sees it: what the hosts file and DNS say, and whether that leads to the proxy.
 *
 * Owns: the questions to the resolver, and the findings of their answers. It must not connect.
 */

import { canonicalIp } from "../address.ts";
import type { BindingRecord, DnsResolver, ResolvedAddresses, ResolveFailure } from "../host.ts";
import { escapeText } from "../log/escape.ts";
import { type Finding, finding } from "./finding.ts";

export interface NameParts {
  readonly resolver: DnsResolver;
  /** The hosts file's text; empty where there is none. */
  readonly hostsFile: string;
  /** Canonical addresses by which clients here reach the proxy; none: this is the proxy's machine, and nobody's client. */
  readonly proxyAddresses: readonly string[];
}

export async function examineName(
  name: string,
  { resolver, hostsFile, proxyAddresses }: NameParts,
): Promise<Finding[]> {
  const [system, dns, bindings] = await Promise.all([
    new Promise<ResolvedAddresses | ResolveFailure>((answered) => resolver.resolve(name, answered)),
    new Promise<ResolvedAddresses | ResolveFailure>((answered) => resolver.resolveByDns(name, answered)),
    new Promise<Parameters<Parameters<DnsResolver["resolveBindings"]>[1]>[0]>((answered) =>
      resolver.resolveBindings(name, answered),
    ),
  ]);
  const inHosts = hostsEntries(hostsFile, name);
  const sources = `hosts file: ${inHosts.join(", ") || "nothing"}; DNS: ${answerText(dns)}`;
  return [addressFinding(name, system, proxyAddresses, sources), ...bindingFindings(name, bindings)];
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

function answerText(answer: ResolvedAddresses | ResolveFailure): string {
  return "code" in answer ? answer.code : answer.addresses.join(", ");
}

function addressFinding(
  name: string,
  system: ResolvedAddresses | ResolveFailure,
  proxyAddresses: readonly string[],
  sources: string,
): Finding {
  if ("code" in system) {
    const id = system.code === "ENOTFOUND" ? "name_unresolved" : "resolver_silent";
    return finding(id, name, `${system.code} (${sources})`);
  }
  const addresses = system.addresses.map((address) => canonicalIp(address) ?? address);
  const past = addresses.filter((address) => !proxyAddresses.includes(address));
  const seen = `it resolves to ${addresses.join(", ")} (${sources})`;
  if (proxyAddresses.length === 0) return finding("resolves", name, seen);
  if (past.length === 0) return finding("leads_to_proxy", name, seen);
  return finding(past.length === addresses.length ? "leads_past_proxy" : "leads_partly_past_proxy", name, seen);
}

function bindingFindings(
  name: string,
  answer: Parameters<Parameters<DnsResolver["resolveBindings"]>[1]>[0],
): Finding[] {
  if ("code" in answer) {
    if (answer.code === "ENOTFOUND") return [finding("no_https_record", name, "DNS has no HTTPS record")];
    return [finding("resolver_silent", name, `type HTTPS: ${answer.code}`)];
  }
  const ways = answer.bindings.map(bindingText).filter((text) => text !== "");
  if (ways.length > 0) return [finding("https_record", name, ways.join("; "))];
  return [finding("no_https_record", name, "its HTTPS record says nothing that leads elsewhere")];
}

function bindingText({ priority, target, alpn, port, ech, hints }: BindingRecord): string {
  if (priority === 0) return target === "" ? "" : `an alias for ${target}`;
  const parts = [
    ...(ech ? ["ECH hides the name"] : []),
    ...(alpn.some((protocol) => protocol.startsWith("h3")) ? ["HTTP/3 goes by UDP"] : []),
    ...(port === undefined || port === 443 ? [] : [`port ${port}`]),
    ...(target === "" ? [] : [`served by ${target}`]),
    ...(hints.length === 0 ? [] : [`addresses of its own: ${hints.join(", ")}`]),
  ];
  return escapeText(parts.join(", "));
}
