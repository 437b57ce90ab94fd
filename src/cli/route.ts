/** `certless route`: which rule a name meets, where it leads, and why. */

import { canonicalIp, formatEndpoint, parsePort } from "../address.ts";
import { holdsAddress } from "../cidr_set.ts";
import type {
  AccessConfig,
  Config,
  ListenerConfig,
  ProxyHeaderConfig,
  Route,
  UpstreamConfig,
} from "../config/config.ts";
import { viaText } from "../config/via_options.ts";
import type { IoError } from "../errors.ts";
import { normalizeConfigName } from "../hostname.ts";
import { permits } from "../limits/access.ts";
import { createRouter } from "../proxy/listener_settings.ts";
import { DirectPolicy } from "../upstream/direct_policy.ts";
import { type CliContext, CliError, type Command, type CommandArgs, EXIT } from "./command.ts";
import { load } from "./load.ts";
import { openNames } from "./names.ts";
import { balanceText, destinationText, MATCH_WORDS, serverText } from "./summary.ts";

export const route: Command = {
  summary: "explain where a name goes: which rule, which upstream, why",
  usage: "NAME [FILE] [--port N] [--client IP] [--resolve]",
  help: `Looks NAME up as a connection would, on each listener of FILE (certless.yaml if none is named):

  certless route api.example.com
  certless route api.example.com --port 443 --resolve

Exit code 0: it is forwarded. 1: it is rejected everywhere. 2: the question or the configuration is faulty.`,
  options: {
    port: { type: "string", value: "N", help: "only the listener on this port" },
    client: { type: "string", value: "IP", help: "as this client: do access lists and trustedProxies let it in?" },
    resolve: { type: "boolean", help: "look the addresses up, and say which of them may be dialled" },
  },
  maxPositionals: 2,
  async run(context: CliContext, { values, positionals }: CommandArgs): Promise<number> {
    const { host } = context;
    const name = routedName(context, positionals[0]);
    const client = clientAddress(values.client);
    const { config, path } = await load(context, positionals[1]);
    const listeners = selectListeners(config, values.port);
    let forwarded = false;
    for (const listener of listeners) {
      const found = createRouter(listener.routes).match(name);
      const refusal = refusedClient(listener, client) ?? deniedByRoute(found, client);
      const lines = refusal === undefined ? explain(config, path, listener, found) : [refusal];
      let reaches = refusal === undefined && found.to.kind !== "reject";
      if (reaches && values.resolve === true) {
        const addresses = await resolveAddresses(context, config, listener, found, name);
        lines.push(...addresses.lines);
        reaches = addresses.usable;
      }
      forwarded ||= reaches;
      host.stdout.write(`${formatEndpoint(listener.endpoint)} (${listener.protocol}) ${name}\n`);
      host.stdout.write(`${lines.map((line) => `  ${line}`).join("\n")}\n`);
    }
    return forwarded ? EXIT.ok : EXIT.no;
  },
};

function routedName({ host }: CliContext, given: string | undefined): string {
  if (given === undefined) throw new CliError("Cannot explain a route: NAME is missing (certless route NAME)");
  const name = normalizeConfigName(given, (text) => host.domainToAscii(text));
  if (name === undefined) throw new CliError(`Cannot explain a route: ${JSON.stringify(given)} is not a host name`);
  return name;
}

function clientAddress(given: string | boolean | undefined): string | undefined {
  if (given === undefined) return undefined;
  const ip = canonicalIp(String(given));
  if (ip === undefined)
    throw new CliError(`Cannot explain a route: --client ${JSON.stringify(given)} is not an IP address`);
  return ip;
}

function selectListeners(config: Config, given: string | boolean | undefined): readonly ListenerConfig[] {
  if (given === undefined) return config.listeners;
  const port = parsePort(String(given));
  if (port === undefined) throw new CliError(`Cannot explain a route: --port ${JSON.stringify(given)} is not a port`);
  const found = config.listeners.filter(({ endpoint }) => endpoint.kind === "tcp" && endpoint.port === port);
  if (found.length === 0) throw new CliError(`Cannot explain a route: no listener is on port ${port}`);
  return found;
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

/** The addresses of a destination given by name; `usable` where one of them may be dialled, or none needs to be looked up. */
async function resolveAddresses(
  { host }: CliContext,
  config: Config,
  listener: ListenerConfig,
  found: Route,
  name: string,
): Promise<{ readonly lines: readonly string[]; readonly usable: boolean }> {
  // A proxy resolves for itself.
  if (found.via !== undefined) return { lines: [], usable: true };
  if (found.to.kind !== "direct" && found.to.kind !== "host") return { lines: [], usable: true };
  const target = found.to.kind === "host" ? found.to.name : name;
  const port = found.to.port ?? (listener.endpoint.kind === "tcp" ? listener.endpoint.port : 0);
  const policy = new DirectPolicy(
    config.listeners.map(({ endpoint }) => endpoint),
    host.interfaceAddresses(),
    config.selfAddresses,
  );
  const { resolver, names } = openNames(host, config);
  try {
    const direct = found.to.kind === "direct";
    const causes = new Map<string, string | undefined>();
    for (const ip of await names.resolve(target)) {
      causes.set(ip, direct ? policy.refuses(ip, port, found.allowPrivate) : undefined);
    }
    const lines = [...causes].map(([ip, cause]) => `address: ${ip}${cause === undefined ? "" : ` refused: ${cause}`}`);
    return { lines, usable: [...causes.values()].includes(undefined) };
  } catch (error) {
    return { lines: [`address: none (${(error as IoError).code})`], usable: false };
  } finally {
    resolver.close();
  }
}
