/** `certless route`: which rule a name meets, where it leads, and why. */

import { canonicalIp, parsePort } from "../address.ts";
import type { ExplainAnswer, ListenerExplanation } from "../admin/api.ts";
import { explainName } from "../admin/explanation.ts";
import type { Config, ListenerConfig, Route } from "../config/config.ts";
import { escapeInvisible } from "../config/quote.ts";
import type { IoError } from "../errors.ts";
import { normalizeConfigName } from "../hostname.ts";
import { DirectPolicy } from "../upstream/direct_policy.ts";
import { ADMIN_OPTIONS, adminClient } from "./admin_client.ts";
import { type CliContext, CliError, type Command, type CommandArgs, EXIT } from "./command.ts";
import { load } from "./load.ts";
import { openNames } from "./names.ts";

export const route: Command = {
  summary: "explain where a name goes: which rule, which upstream, why",
  usage: "NAME [FILE] [--port N] [--client IP] [--resolve | --live]",
  help: `Looks NAME up as a connection would, on each listener of FILE (certless.yaml if none is named):

  certless route api.example.com
  certless route api.example.com --port 443 --resolve

With --live the running proxy is asked, whose configuration may be another one than the file's; FILE
says where it is.

Exit code 0: it is forwarded. 1: it is rejected everywhere. 2: the question or the configuration is
faulty.`,
  options: {
    port: { type: "string", value: "N", help: "only the listener on this port" },
    client: { type: "string", value: "IP", help: "as this client: do access lists and trustedProxies let it in?" },
    resolve: { type: "boolean", help: "look the addresses up, and say which of them may be dialled" },
    live: { type: "boolean", help: "ask the running proxy by its admin interface" },
    ...ADMIN_OPTIONS,
  },
  maxPositionals: 2,
  async run(context: CliContext, args: CommandArgs): Promise<number> {
    const { host } = context;
    const { values, positionals } = args;
    const name = routedName(context, positionals[0]);
    if (values.live === true) return askLive(context, args, name);
    const client = clientAddress(values.client);
    const { config, path } = await load(context, positionals[1]);
    let forwarded = false;
    for (const listener of selectListeners(config, values.port)) {
      const { found, ...said } = explainName({ config, path, name, client }, listener, listener.endpoint);
      const lines = [...said.lines];
      let reaches = said.isForwarded;
      if (reaches && values.resolve === true) {
        const addresses = await resolveAddresses(context, config, listener, found, name);
        lines.push(...addresses.lines);
        reaches = addresses.usable;
      }
      forwarded ||= reaches;
      host.stdout.write(explanationText(name, { ...said, lines }));
    }
    return forwarded ? EXIT.ok : EXIT.no;
  },
};

/** The same by the running proxy. */
async function askLive(context: CliContext, args: CommandArgs, name: string): Promise<number> {
  const { values, positionals } = args;
  if (values.resolve === true) throw new CliError("Cannot explain a route: --live and --resolve do not go together");
  const client = await adminClient(context, args, positionals[1]);
  const query = [["name", name] as const, ["port", values.port] as const, ["client", values.client] as const]
    .flatMap(([key, value]) => (value === undefined ? [] : `${key}=${encodeURIComponent(String(value))}`))
    .join("&");
  const { listeners } = await client.get<ExplainAnswer>(`route?${query}`);
  for (const listener of listeners) context.host.stdout.write(escapeLines(explanationText(name, listener)));
  return listeners.some(({ isForwarded }) => isForwarded) ? EXIT.ok : EXIT.no;
}

function escapeLines(text: string): string {
  return text.split("\n").map(escapeInvisible).join("\n");
}

function explanationText(name: string, { listener, protocol, lines }: ListenerExplanation): string {
  return `${listener} (${protocol}) ${name}\n${lines.map((line) => `  ${line}`).join("\n")}\n`;
}

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
