/** `certless hosts`: the lines for a developer's hosts file. */

import { canonicalIp } from "../address.ts";
import type { Config } from "../config/config.ts";
import { routesOf } from "../route_table/route_reader.ts";
import { type CliContext, CliError, type Command, type CommandArgs, EXIT } from "./command.ts";
import { load } from "./load.ts";
import { routeTables } from "./summary.ts";

export const hosts: Command = {
  summary: "print the lines for a developer's hosts file",
  usage: "--ip ADDRESS [FILE]",
  help: `Prints one line for every name that the configuration routes, pointing at this proxy:

  certless hosts --ip 10.0.0.5 >> /etc/hosts

A hosts file knows no wildcards, so routes with one stand there as comments.`,
  options: {
    ip: { type: "string", value: "ADDRESS", help: "address of this proxy, as the developers' machines reach it" },
  },
  maxPositionals: 1,
  async run(context: CliContext, { values, positionals }: CommandArgs): Promise<number> {
    const given = values.ip;
    if (given === undefined) throw new CliError("Cannot print hosts lines: --ip ADDRESS is missing");
    const ip = canonicalIp(String(given));
    if (ip === undefined) throw new CliError(`Cannot print hosts lines: ${JSON.stringify(given)} is not an IP address`);
    const { config, path } = await load(context, positionals[0]);
    context.host.stdout.write(`# certless: names of ${path}\n${hostsLines(config, ip).join("\n")}\n`);
    return EXIT.ok;
  },
};

/** Lines of a hosts file for every routed name, each name once; what it cannot hold as comments. */
export function hostsLines(config: Config, ip: string): string[] {
  const names = new Set<string>();
  const comments = new Set<string>();
  for (const route of routeTables(config).flatMap((table) => [...routesOf(table)])) {
    if (route.to.kind === "reject") continue;
    if (route.kind === "exact" || (route.kind === "suffix" && route.apex)) names.add(route.name);
    if (route.kind !== "exact") {
      comments.add(`# ${route.text} is a pattern: add a line for each name of it that you use`);
    }
  }
  return [...[...names].map((name) => `${ip} ${name}`), ...comments];
}
