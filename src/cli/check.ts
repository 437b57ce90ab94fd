/** `certless check`: every fault of a configuration at once. */

import type { Config } from "../config/config.ts";
import { namedServers } from "../config/named_servers.ts";
import { checkNames } from "../names/check_names.ts";
import { loadSecrets } from "../secrets.ts";
import { StartError } from "../start_error.ts";
import { type CliContext, type Command, type CommandArgs, EXIT } from "./command.ts";
import { load } from "./load.ts";
import { openNames } from "./names.ts";
import { countRoutes, plural } from "./summary.ts";

export const check: Command = {
  summary: "check a configuration: file:line:column of every fault",
  usage: "[FILE] [--resolve]",
  help: `Reads FILE (certless.yaml if none is named, - for standard input) and prints every fault with its
place and what to do about it. No port is opened, and nothing resolved but with --resolve.

Exit code 0: it is valid. 1: a password that it names cannot be read, or a name in it does not
resolve. 2: it has faults, or cannot be read.`,
  options: { resolve: { type: "boolean", help: "look up the names that servers are given by, too" } },
  maxPositionals: 1,
  async run(context: CliContext, { values, positionals }: CommandArgs): Promise<number> {
    const { config, path } = await load(context, positionals[0]);
    const parts = [
      plural(config.listeners.length, "listener"),
      plural(countRoutes(config), "route"),
      plural(config.upstreams.size, "upstream"),
    ];
    context.host.stdout.write(`${path} is valid: ${parts.join(", ")}\n`);
    const readable = await checkSecrets(context, config);
    const resolved = values.resolve === true ? await checkResolved(context, config) : EXIT.ok;
    return readable === EXIT.ok ? resolved : readable;
  },
};

/** What `run` would not start without. */
async function checkSecrets({ host }: CliContext, config: Config): Promise<number> {
  try {
    await loadSecrets(config, host);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    host.stderr.write(`${error.message}\n`);
    return EXIT.no;
  }
}

async function checkResolved({ host }: CliContext, config: Config): Promise<number> {
  const { resolver, names } = openNames(host, config);
  const servers = namedServers(config);
  const faults = await checkNames(servers, names);
  resolver.close();
  for (const { message } of faults) host.stderr.write(`${message}\n`);
  if (faults.length > 0) return EXIT.no;
  host.stdout.write(`${plural(servers.length, "name")} resolved\n`);
  return EXIT.ok;
}
