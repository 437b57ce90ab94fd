/**
 * The command line: finds the command, reads its options, turns its outcome into an exit code.
 *
 * Owns: the table of commands. It must not print a stack trace for anything that a user can cause.
 */

import { nearest } from "../config/quote.ts";
import { check } from "./check.ts";
import { type CliContext, CliError, type Command, EXIT } from "./command.ts";
import { demo } from "./demo.ts";
import { doctor } from "./doctor.ts";
import { drain } from "./drain.ts";
import { commandHelp, programHelp } from "./help.ts";
import { hosts } from "./hosts.ts";
import { permissions } from "./permissions.ts";
import { probe } from "./probe.ts";
import { reload } from "./reload.ts";
import { route } from "./route.ts";
import { run } from "./run.ts";
import { schema } from "./schema.ts";
import { status } from "./status.ts";
import { top } from "./top.ts";

export const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["run", run],
  ["check", check],
  ["route", route],
  ["status", status],
  ["top", top],
  ["reload", reload],
  ["drain", drain],
  ["probe", probe],
  ["doctor", doctor],
  ["hosts", hosts],
  ["permissions", permissions],
  ["demo", demo],
  ["schema", schema],
]);

/** Runs one command line. @returns the exit code. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const { host } = context;
  const [name, ...rest] = args;
  try {
    if (name === undefined || name === "-h" || name === "--help" || name === "help") {
      host.stdout.write(name === "help" && rest[0] !== undefined ? helpOn(rest[0]) : programHelp(COMMANDS));
      return name === undefined ? EXIT.cannot : EXIT.ok;
    }
    if (name === "-V" || name === "--version") {
      host.stdout.write(`certless ${host.version} (${host.runtime})\n`);
      return EXIT.ok;
    }
    return await runCommand(name, find(name), rest, context);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    host.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
}

function find(name: string): Command {
  const command = COMMANDS.get(name);
  if (command !== undefined) return command;
  const near = nearest(name, [...COMMANDS.keys()]);
  const hint = near === undefined ? "see certless --help" : `did you mean ${near}?`;
  throw new CliError(`Cannot run ${JSON.stringify(name)}: there is no such command; ${hint}`);
}

function helpOn(name: string): string {
  return commandHelp(name, find(name));
}

async function runCommand(
  name: string,
  command: Command,
  args: readonly string[],
  context: CliContext,
): Promise<number> {
  const options = { ...command.options, help: { type: "boolean", short: "h" } as const };
  let parsed: ReturnType<CliContext["host"]["parseArgs"]>;
  try {
    parsed = context.host.parseArgs(args, options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`Cannot run certless ${name}: ${reason}\nUsage: certless ${name} ${command.usage}`);
  }
  if (parsed.values.help === true) {
    context.host.stdout.write(commandHelp(name, command));
    return EXIT.ok;
  }
  const extra = parsed.positionals[command.maxPositionals];
  if (extra !== undefined) {
    throw new CliError(
      `Cannot run certless ${name}: ${JSON.stringify(extra)} is one argument too many\nUsage: certless ${name} ${command.usage}`,
    );
  }
  return command.run(context, parsed);
}
