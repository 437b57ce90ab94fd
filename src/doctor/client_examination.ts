/**
 * A name on a client's machine, where there is no configuration: does it lead to the proxy, and does the proxy lead on?
 *
 * Owns: the handshake through the proxy at the address that was given, beside one that goes past it where that is possible.
 */

import type { Clock } from "../adapter.ts";
import { type Endpoint, formatEndpoint } from "../address.ts";
import type { StartProbe } from "../probe.ts";
import { type Finding, finding } from "./finding.ts";
import { examineName, type NameParts } from "./name_examination.ts";
import { handshake, unreachable } from "./proxy_passage.ts";
import { dnsAddressesOf } from "./resolving.ts";
import { examineClock } from "./server_clock.ts";
import { certificateFindings } from "./server_findings.ts";
import { SERVER_TIMEOUT } from "./way.ts";

export interface ClientParts extends NameParts {
  readonly probe: StartProbe;
  readonly clock: Clock;
}

/** @param proxy the proxy's address. */
export async function examineAsClient(parts: ClientParts, name: string, proxy: string): Promise<Finding[]> {
  const endpoint: Endpoint = { kind: "tcp", ip: proxy, port: parts.port };
  const [seen, passage] = await Promise.all([examineName(name, parts), examinePassage(parts, name, endpoint)]);
  return [...seen, ...passage];
}

async function examinePassage(parts: ClientParts, name: string, endpoint: Endpoint): Promise<Finding[]> {
  const { probe, clock } = parts;
  const at = formatEndpoint(endpoint);
  const [through, past] = await Promise.all([handshake(probe, endpoint, name), pastProxy(parts, name)]);
  if (!through.ok) return [unreachable(name, at, through)];
  const { certificate } = through;
  if (certificate === undefined) return [finding("proxy_differs", name, `${at} shows no certificate`)];
  const found = certificateFindings(name, `through ${at}`, certificate, clock.wallTime());
  if (past !== undefined) {
    const isSame = past.fingerprint === certificate.fingerprint;
    const seen = isSame ? at : `${at}: another certificate than at ${past.at}`;
    found.push(finding(isSame ? "proxy_passes" : "proxy_differs", name, seen));
  }
  return [...found, ...(await examineClock(parts, name, endpoint))];
}

interface Past {
  readonly at: string;
  readonly fingerprint: string | undefined;
}

/** The certificate at the first address that DNS alone has; undefined where that is out of reach, as it may well be. */
async function pastProxy(
  { resolver, probe, proxyAddresses, port }: ClientParts,
  name: string,
): Promise<Past | undefined> {
  const addresses = await dnsAddressesOf(resolver, name);
  if (typeof addresses === "string") return undefined;
  const ip = addresses.find((address) => !proxyAddresses.includes(address));
  if (ip === undefined) return undefined;
  const endpoint: Endpoint = { kind: "tcp", ip, port };
  const result = await handshake(probe, endpoint, name, SERVER_TIMEOUT);
  return result.ok ? { at: formatEndpoint(endpoint), fingerprint: result.certificate?.fingerprint } : undefined;
}
