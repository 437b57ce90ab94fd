/** `certless drain`: the running proxy stops accepting, and ends when its connections have. */

import type { ActionAnswer } from "../admin/api.ts";
import { escapeText } from "../log/escape.ts";
import { ADMIN_HELP, ADMIN_OPTIONS, adminClient } from "./admin_client.ts";
import { type CliContext, type Command, type CommandArgs, EXIT } from "./command.ts";

export const drain: Command = {
  summary: "have the running proxy stop accepting, and end when its connections have",
  usage: "[FILE] [--admin ADDRESS] [--token-file PATH]",
  help: `The same as SIGTERM: what is open has timeouts.drain to finish. It does not wait for the end.

${ADMIN_HELP}`,
  options: ADMIN_OPTIONS,
  maxPositionals: 1,
  async run(context: CliContext, args: CommandArgs): Promise<number> {
    const client = await adminClient(context, args, args.positionals[0]);
    const { body } = await client.post("drain", {});
    context.host.stdout.write(`${escapeText((body as ActionAnswer).done)}\n`);
    return EXIT.ok;
  },
};
