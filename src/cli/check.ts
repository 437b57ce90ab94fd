/** `certless check`: every fault of a configuration at once. */

import { type CliContext, type Command, type CommandArgs, EXIT } from "./command.ts";
import { load } from "./load.ts";
import { countRoutes, plural } from "./summary.ts";

export const check: Command = {
  summary: "check a configuration: file:line:column of every fault",
  usage: "[FILE]",
  help: `Reads FILE (certless.yaml if none is named, - for standard input) and prints every fault with its
place and what to do about it. Nothing is opened or resolved.

Exit code 0: it is valid. 2: it has faults, or cannot be read.`,
  options: {},
  maxPositionals: 1,
  async run(context: CliContext, { positionals }: CommandArgs): Promise<number> {
    const { config, path } = await load(context, positionals[0]);
    const parts = [
      plural(config.listeners.length, "listener"),
      plural(countRoutes(config), "route"),
      plural(config.upstreams.size, "upstream"),
    ];
    context.host.stdout.write(`${path} is valid: ${parts.join(", ")}\n`);
    return EXIT.ok;
  },
};
