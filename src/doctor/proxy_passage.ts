/**
 * Whether a name gets through the proxy that runs, to the server that it should reach.
 *
 * Owns: the same handshake by way of the proxy, and the comparison of certificates: no proxy without keys can make one up.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import type { Config, ListenerConfig } from "../config/config.ts";
import { failureText } from "../health/failure_text.ts";
import type { ProbeResult, StartProbe } from "../probe.ts";
import { type Finding, finding } from "./finding.ts";

/** Milliseconds: the proxy tries servers for longer than a server may take. */
const TIMEOUT = 5_000;

export function handshake(
  probe: StartProbe,
  endpoint: Endpoint,
  name: string,
  timeout: number = TIMEOUT,
): Promise<ProbeResult> {
  return new Promise((done) => probe({ endpoint, timeout, tls: { serverName: name } }, done));
}

/** @param expected SHA-256 of the certificate that the route's server shows; undefined: not known. */
export async function throughListener(
  probe: StartProbe,
  name: string,
  listener: ListenerConfig,
  expected: string | undefined,
): Promise<Finding[]> {
  const endpoint = reachable(listener);
  if (endpoint === undefined) return [];
  const at = formatEndpoint(endpoint);
  const result = await handshake(probe, endpoint, name);
  if (!result.ok) return [unreachable(name, at, result)];
  if (expected === undefined) return [];
  const isSame = result.certificate?.fingerprint === expected;
  return [finding(isSame ? "proxy_passes" : "proxy_differs", name, `${at}${isSame ? "" : ": another certificate"}`)];
}

/** Undefined where this program cannot be a client: of sockets in files, PROXY headers, or other greetings. */
function reachable({ endpoint, protocol, proxyProtocol }: ListenerConfig): Endpoint | undefined {
  if (endpoint.kind !== "tcp" || endpoint.port === 0 || proxyProtocol) return undefined;
  if (protocol === "postgres" || protocol === "http") return undefined;
  const ip = endpoint.ip === "0.0.0.0" ? "127.0.0.1" : endpoint.ip === "::" ? "::1" : endpoint.ip;
  return { ...endpoint, ip };
}

export function unreachable(name: string, at: string, { error, stage }: Extract<ProbeResult, { ok: false }>): Finding {
  return finding("proxy_unreachable", name, `${at}: ${failureText(error, stage, TIMEOUT)}`);
}

/** Everything through every listener, at the same time. */
export async function throughListeners(
  probe: StartProbe,
  { listeners }: Pick<Config, "listeners">,
  name: string,
  expectedOf: (listener: ListenerConfig) => string | undefined,
): Promise<Finding[]> {
  const found = await Promise.all(
    listeners.map((listener) => throughListener(probe, name, listener, expectedOf(listener))),
  );
  return found.flat();
}
