/** `certless schema`: the configuration's JSON Schema, for editors. */

import { jsonSchema } from "../config/schema.ts";
import { type CliContext, type Command, EXIT } from "./command.ts";

export const schema: Command = {
  summary: "print the JSON Schema of the configuration, for editors",
  usage: "",
  help: `Writes the schema to standard output. With it, an editor completes and checks certless.yaml:

  certless schema > certless.schema.json

and as the first line of certless.yaml (yaml-language-server):

  # yaml-language-server: $schema=certless.schema.json`,
  options: {},
  maxPositionals: 0,
  async run(context: CliContext): Promise<number> {
    context.host.stdout.write(`${JSON.stringify(jsonSchema(), undefined, 2)}\n`);
    return EXIT.ok;
  },
};
