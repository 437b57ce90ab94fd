/**
 * Which rule a name meets, where it leads, and why: for `certless route` and for whoever asks a running proxy.
 *
 * Owns: the words. It must resolve nothing and touch no connection.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import { holdsAddress } from "../cidr_set.ts";
import { balanceText, destinationText, MATCH_WORDS, serverText } from "../cli/summary.ts";
import type {
  AccessConfig,
  Config,
  ListenerConfig,
  ProxyHeaderConfig,
  Route,
  UpstreamConfig,
} from "../config/config.ts";
import { viaText } from "../config/via_options.ts";
import { permits } from "../limits/access.ts";
import { createRouter } from "../proxy/listener_settings.ts";
import type { ListenerExplanation } from "./api.ts";

export interface RouteQuestion {
  readonly config: Config;
  /** The file of the configuration, for its lines. */
  readonly path: string;
  /** Canonical. */
  readonly name: string;
  /** Canonical; undefined: somebody whom all lists let in. */
  readonly client: string | undefined;
}

/** What one listener does with the name, and the rule that says so. */
export interface Explanation extends ListenerExplanation {
  readonly found: Route;
}

/** @param endpoint where the listener is; its port may have been given for 0. */
export function explainName(question: RouteQuestion, listener: ListenerConfig, endpoint: Endpoint): Explanation {
  const { config, path, name, client } = question;
  const found = createRouter(listener.routes).match(name);
  const refusal = refusedClient(listener, client) ?? deniedByRoute(found, client);
  return {
    listener: formatEndpoint(endpoint),
    protocol: listener.protocol,
    isForwarded: refusal === undefined && found.to.kind !== "reject",
    lines: refusal === undefined ? explain(config, path, listener, found) : [refusal],
    found,
  };
}

/** Why the listener does not let `client` in at all. Behind a PROXY header, its lists are about whom that names. */
function refusedClient(listener: ListenerConfig, client: string | undefined): string | undefined {
  if (client === undefined) return undefined;
  if (!listener.proxyProtocol) return denied(listener.access, client, "the listener");
  if (holdsAddress(listener.trustedProxies, client)) return undefined;
  return `rejected: untrusted_peer (a PROXY header is required and ${client} is not in trustedProxies)`;
}

function deniedByRoute(found: Route, client: string | undefined): string | undefined {
  return client === undefined ? undefined : denied(found.access, client, `the route ${found.text}`);
}

function denied(access: AccessConfig | undefined, client: string, whose: string): string | undefined {
  if (access === undefined || access.dryRun || permits(access, { kind: "tcp", ip: client, port: 0 })) return undefined;
  return `rejected: access_denied (${client} is not let in by ${whose})`;
}

function explain(config: Config, path: string, listener: ListenerConfig, found: Route): string[] {
  const place = found.line > 0 ? `${found.file ?? path}:${found.line}` : path;
  const lines = [
    `route: ${found.text} (${MATCH_WORDS[found.kind]}, ${place})`,
    `to: ${destinationText(found.to)}${DESTINATION_NOTES[found.to.kind] ?? ""}`,
  ];
  if (listener.redirectToHttps !== undefined && found.to.kind !== "reject") {
    return [...lines, `answer: a redirect to https, port ${listener.redirectToHttps}; nothing is dialled`];
  }
  const upstream = found.to.kind === "upstream" ? config.upstreams.get(found.to.name)! : undefined;
  lines.push(...egressLines(found, upstream));
  if (upstream === undefined) return lines;
  for (const server of upstream.servers) lines.push(`server: ${serverText(server)}`);
  lines.push(`balance: ${balanceText(upstream.balance)}`);
  if (upstream.healthCheck !== undefined) lines.push(`health check: ${upstream.healthCheck.type}`);
  if (upstream.proxyProtocol !== undefined)
    lines.push(`PROXY header to servers: ${headerText(upstream.proxyProtocol)}`);
  return lines;
}

/** How the server is reached, where it is not by a plain connect. */
function egressLines(found: Route, upstream: UpstreamConfig | undefined): string[] {
  const via = found.via ?? upstream?.via;
  const bind = found.bind ?? upstream?.bind;
  const lines: string[] = [];
  if (via !== undefined)
    lines.push(`via: ${viaText(via)} (it resolves names, and decides which addresses may be reached)`);
  if (bind !== undefined) lines.push(`from: ${bind.join(", ")}`);
  return lines;
}

function headerText({ version, ...tlvs }: ProxyHeaderConfig): string {
  const said = Object.entries(tlvs).flatMap(([name, on]) => (on ? [name] : []));
  return `v${version}${said.length === 0 ? "" : ` with ${said.join(", ")}`}`;
}

const DESTINATION_NOTES: Readonly<Record<string, string>> = {
  reject: " (the client gets an alert or a 404, the log a reason code)",
  direct: " (the name itself, resolved for each connection)",
};
