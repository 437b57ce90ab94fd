/** `certless hosts`: the lines for a developer's hosts file. */

import { canonicalIp, type Endpoint, formatEndpoint } from "../address.ts";
import type { Config, ListenerConfig } from "../config/config.ts";
import { routesOf } from "../route_table/route_reader.ts";
import { type CliContext, CliError, type Command, type CommandArgs, EXIT } from "./command.ts";
import { load } from "./load.ts";

export const hosts: Command = {
  summary: "print the lines for a developer's hosts file",
  usage: "[--ip ADDRESS] [FILE]",
  help: `Prints one line for every name that the configuration routes, pointing at this proxy:

  certless hosts --ip 10.0.0.5 >> /etc/hosts

Where listeners have addresses of their own, each name gets that of its listener; --ip is the
address of those that listen on all of them. A hosts file knows no wildcards, so routes with one
stand there as comments.`,
  options: {
    ip: { type: "string", value: "ADDRESS", help: "address of this proxy, as the developers' machines reach it" },
  },
  maxPositionals: 1,
  async run(context: CliContext, { values, positionals }: CommandArgs): Promise<number> {
    const given = values.ip;
    const ip = given === undefined ? undefined : canonicalIp(String(given));
    if (given !== undefined && ip === undefined) {
      throw new CliError(`Cannot print hosts lines: ${JSON.stringify(given)} is not an IP address`);
    }
    const { config, path } = await load(context, positionals[0]);
    context.host.stdout.write(`# certless: names of ${path}\n${hostsLines(config, ip).join("\n")}\n`);
    return EXIT.ok;
  },
};

/**
 * Lines of a hosts file for every routed name, each name once; what it cannot hold as comments.
 * @param ip the proxy's; undefined: only listeners with an address of their own have one.
 * @throws {CliError} for names that are left without an address.
 */
export function hostsLines(config: Config, ip: string | undefined): string[] {
  const names = new Map<string, HostsEntry>();
  const comments = new Set<string>();
  for (const listener of config.listeners) {
    for (const route of routesOf(listener.routes)) {
      if (route.to.kind === "reject") continue;
      if (route.kind === "exact" || (route.kind === "suffix" && route.apex)) {
        const entry = names.get(route.name) ?? { routes: listener.routes, addresses: [] };
        if (entry.routes === listener.routes) addAddress(entry, addressOf(config, listener, ip));
        names.set(route.name, entry);
      }
      if (route.kind !== "exact") {
        comments.add(`# ${route.text} is a pattern: add a line for each name of it that you use`);
      }
    }
  }
  const lines = [...names].flatMap(([name, { addresses }]) => addresses.map((address) => `${address} ${name}`));
  if (ip !== undefined && lines.length > 0 && !lines.some((line) => line.startsWith(`${ip} `))) {
    comments.add(`# ${ip} stands nowhere: every listener has an address of its own`);
  }
  return [...lines, ...comments];
}

/** Where a name leads: by the listeners of one table, which are its first, one address of each family. */
interface HostsEntry {
  readonly routes: ListenerConfig["routes"];
  readonly addresses: string[];
}

function addAddress({ addresses }: HostsEntry, address: string): void {
  const isIpv6 = address.includes(":");
  if (!addresses.some((one) => one.includes(":") === isIpv6)) addresses.push(address);
}

/** A listener's own address counts where there are several: then names differ in it. */
function addressOf({ listeners }: Config, { endpoint }: ListenerConfig, ip: string | undefined): string {
  const own = ownAddress(endpoint);
  const all = new Set(listeners.map((listener) => ownAddress(listener.endpoint)));
  const address = all.size > 1 ? (own ?? ip) : (ip ?? own);
  if (address !== undefined) return address;
  const where = formatEndpoint(endpoint);
  throw new CliError(`Cannot print hosts lines: --ip ADDRESS is missing, the proxy's; ${where} does not tell it`);
}

function ownAddress(endpoint: Endpoint): string | undefined {
  return endpoint.kind === "tcp" && endpoint.ip !== "0.0.0.0" && endpoint.ip !== "::" ? endpoint.ip : undefined;
}
