/** `certless reload`: the running proxy reads its file anew. */

import type { ReloadOutcome } from "../admin/api.ts";
import { escapeInvisible } from "../config/quote.ts";
import { ADMIN_HELP, ADMIN_OPTIONS, adminClient } from "./admin_client.ts";
import { type CliContext, CliError, type Command, type CommandArgs, EXIT } from "./command.ts";
import { reloadLines } from "./reload_text.ts";

export const reload: Command = {
  summary: "have the running proxy read its configuration anew",
  usage: "[FILE] [--admin ADDRESS] [--token-file PATH]",
  help: `The running proxy reads its own file again and puts it in force as a whole; prints what has changed.
Where the file has faults, each is printed with its place, and the configuration in force stays.

${ADMIN_HELP} 0: it is in force. 2: it was refused, too.`,
  options: ADMIN_OPTIONS,
  maxPositionals: 1,
  async run(context: CliContext, args: CommandArgs): Promise<number> {
    const client = await adminClient(context, args, args.positionals[0]);
    const { body } = await client.post("reload", {});
    const outcome = body as ReloadOutcome;
    const lines = reloadLines(outcome).map(escapeInvisible).join("\n");
    if (!outcome.ok) throw new CliError(lines);
    context.host.stdout.write(`${lines}\n`);
    return EXIT.ok;
  },
};
