/** `certless permissions`: the exact `deno run` line for a configuration. */

import { type NeedContext, needsUnstableNet, permissionNeeds } from "../service/permission_needs.ts";
import { type CliContext, CliError, type Command, type CommandArgs, EXIT } from "./command.ts";
import { load } from "./load.ts";

export const permissions: Command = {
  summary: "the deno run line with no more permissions than a configuration needs",
  usage: "[FILE] [--adapter NAME] [--unit]",
  help: `Prints the command line with which Deno runs FILE (certless.yaml if none is named), and may do
nothing else: each permission in it is needed by something in FILE. With the adapter linux (the
default), FFI is among them, and who may call libc may do all that the system's user may; --adapter
deno does without.

Node and Bun have no such permissions that would fit; there a unit file has to do it
(examples/certless.service).`,
  options: {
    adapter: { type: "string", value: "NAME", help: "linux or deno (default: the configuration's, else linux)" },
    unit: { type: "boolean", help: "for a systemd unit: sockets that it passes, readiness and watchdog, too" },
  },
  maxPositionals: 1,
  async run(context: CliContext, { values, positionals }: CommandArgs): Promise<number> {
    const { host } = context;
    const { config, path, files } = await load(context, positionals[0]);
    if (path === "-" || positionals[0] === "-")
      throw new CliError("Cannot print permissions for standard input: name a file");
    const adapter = chooseAdapter(String(values.adapter ?? config.adapter));
    const file = positionals[0] ?? path;
    const program = host.program ?? "dist/certless.js";
    const needs: NeedContext = { config, files, program: sources(program), adapter, unit: values.unit === true };
    host.stdout.write(`${commandLine(needs, program, file, adapter)}\n`);
    return EXIT.ok;
  },
};

function chooseAdapter(name: string): "deno" | "linux" {
  if (name === "auto" || name === "linux") return "linux";
  if (name === "deno") return "deno";
  throw new CliError(`Cannot print permissions for the adapter "${name}": Deno runs linux and deno`);
}

/** A bundle is one file; from source, threads load all of the project's. */
function sources(program: string): string {
  return program.endsWith(".ts") ? program.replace(/[^/]*\/[^/]*$/, "") || "." : program;
}

function commandLine(context: NeedContext, program: string, file: string, adapter: string): string {
  const flags = ["--no-prompt", ...(needsUnstableNet(context) ? ["--unstable-net"] : [])];
  for (const [kind, values] of permissionNeeds(context)) {
    flags.push(`--allow-${kind}${values === true ? "" : `=${values.join(",")}`}`);
  }
  return ["deno", "run", ...flags, program, "run", file, "--adapter", adapter].map(shellWord).join(" ");
}

/** As a shell takes it for one word. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(text) && !text.includes("[") ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
