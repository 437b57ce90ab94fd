/**
 * The help texts: of the program and of each command, in 100 columns.
 */

import type { Command } from "./command.ts";

/** The program's own help. */
export function programHelp(commands: ReadonlyMap<string, Command>): string {
  const rows = [...commands].map(([name, { summary }]) => [name, summary] as const);
  return `certless routes TLS connections by the server name in the ClientHello and holds no certificate.

Usage: certless COMMAND [ARGUMENTS]

${table(rows)}

Options:
${table([
  ["-h, --help", "this text, or a command's own, with its arguments: certless COMMAND --help"],
  ["-V, --version", "version and runtime"],
])}

Start with \`certless demo\`: two TLS servers, the proxy and real requests, nothing to configure.
Exit codes: 0 all is well; 1 the answer is no; 2 it could not be done.
`;
}

/** Help of one command. */
export function commandHelp(name: string, command: Command): string {
  const rows = Object.entries(command.options).map(([option, { short, value, help }]) => {
    const flags = `${short === undefined ? "" : `-${short}, `}--${option}${value === undefined ? "" : ` ${value}`}`;
    return [flags, help] as const;
  });
  const options = rows.length === 0 ? "" : `\nOptions:\n${table(rows)}\n`;
  return `certless ${name}: ${command.summary}

Usage: ${`certless ${name} ${command.usage}`.trim()}

${command.help}
${options}`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
