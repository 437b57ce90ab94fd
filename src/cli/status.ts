/** `certless status`: one look at a running proxy says whether all is well. */

import type { StatusAnswer, UpstreamsAnswer } from "../admin/api.ts";
import { asciiJson, escapeText } from "../log/escape.ts";
import { ADMIN_HELP, ADMIN_OPTIONS, adminClient } from "./admin_client.ts";
import { durationText, sizeText } from "./amounts.ts";
import { type CliContext, type Command, type CommandArgs, EXIT } from "./command.ts";
import { type Style, styleFor } from "./style.ts";
import { plural } from "./summary.ts";

export const status: Command = {
  summary: "is the running proxy well? one screen",
  usage: "[FILE] [--admin ADDRESS] [--token-file PATH] [--json]",
  help: `Asks the running proxy how it is: connections, upstreams' servers, how connections ended, and what
an operator should look at, each with what to do.

${ADMIN_HELP} 0: all is well. 1: something wants attention.`,
  options: { ...ADMIN_OPTIONS, json: { type: "boolean", help: "the answer as JSON, for programs" } },
  maxPositionals: 1,
  async run(context: CliContext, args: CommandArgs): Promise<number> {
    const { host } = context;
    const client = await adminClient(context, args, args.positionals[0]);
    const answer = await client.get<StatusAnswer>("status");
    if (args.values.json === true) {
      host.stdout.write(`${asciiJson(JSON.stringify(answer, undefined, 2))}\n`);
    } else {
      const { upstreams } = await client.get<UpstreamsAnswer>("upstreams");
      host.stdout.write(statusText(answer, upstreams, styleFor(host, host.stdout)));
    }
    return answer.findings.length === 0 ? EXIT.ok : EXIT.no;
  },
};

/** Servers, and reasons, that are told at most. */
const MOST_SERVERS = 20;
const MOST_REASONS = 6;

export function statusText(answer: StatusAnswer, upstreams: UpstreamsAnswer["upstreams"], style: Style): string {
  return [
    headline(answer, style),
    ...findingLines(answer, style),
    "",
    ...numberLines(answer),
    ...serverLines(upstreams, style),
    ...endingLines(answer),
    "",
  ].join("\n");
}

function headline({ version, runtime, adapter, startedAt, now, state, findings }: StatusAnswer, style: Style): string {
  const worst = findings.some(({ level }) => level === "trouble") ? "trouble" : "attention";
  const word = findings.length === 0 ? style.green("all is well") : style.yellow(worst);
  const title = `certless ${escapeText(version)} on ${escapeText(runtime)}, ${escapeText(adapter)}`;
  return `${style.bold(title)}, ${escapeText(state)} for ${durationText(now - startedAt)}: ${word}`;
}

function findingLines({ findings }: StatusAnswer, style: Style): string[] {
  return findings.flatMap(({ level, what, remedy }) => {
    const mark = level === "trouble" ? style.red("!") : style.yellow("*");
    return [`${mark} ${escapeText(what)}`, style.dim(`  ${escapeText(remedy)}`)];
  });
}

function numberLines(answer: StatusAnswer): string[] {
  const { connections, bytes, memory, descriptors, workers, listeners, configuration } = answer;
  const { open, limit, accepted } = connections;
  const loaded = `${durationText(answer.now - configuration.loadedAt)} ago, ${plural(configuration.reloads, "reload")}`;
  const used = [
    ...(memory.resident > 0 ? [`${sizeText(memory.resident)} of memory`] : []),
    ...(descriptors.open === undefined ? [] : [`${descriptors.open} of ${descriptors.limit ?? "?"} descriptors`]),
    plural(workers.length, "worker"),
  ];
  return [
    `connections   ${open} open of ${limit}, ${accepted} accepted`,
    `bytes         ${sizeText(bytes.received)} from clients, ${sizeText(bytes.sent)} to clients`,
    `uses          ${used.join(", ")}`,
    `configuration ${escapeText(configuration.path ?? "a program's")}, loaded ${loaded}`,
    ...listeners.map(
      (one) =>
        `listener      ${escapeText(one.address)} ${escapeText(one.protocol)}: ${one.open} open, ${one.accepted} accepted`,
    ),
  ];
}

function serverLines(upstreams: UpstreamsAnswer["upstreams"], style: Style): string[] {
  const servers = upstreams.flatMap(({ name, servers: its }) => its.map((server) => ({ name, ...server })));
  const lines = servers.slice(0, MOST_SERVERS).map(({ name, address, service, connections, certificates, error }) => {
    const days = Math.min(...certificates.map(({ daysLeft }) => daysLeft));
    const notes = [
      plural(connections, "connection"),
      ...(certificates.length === 0 ? [] : [`certificate: ${plural(days, "day")} left`]),
      ...(error === undefined ? [] : [escapeText(error)]),
    ];
    const word = service === "in" ? style.green(service) : style.red(escapeText(service));
    return `server        ${escapeText(name)} ${escapeText(address)} ${word}, ${notes.join(", ")}`;
  });
  const more = servers.length - MOST_SERVERS;
  return more > 0 ? [...lines, `              and ${plural(more, "server")} more`] : lines;
}

function endingLines({ endings }: StatusAnswer): string[] {
  const told = endings.slice(0, MOST_REASONS).map(({ reason, count }) => `${escapeText(reason)} ${count}`);
  return told.length === 0 ? [] : [`ended         ${told.join(", ")}${endings.length > MOST_REASONS ? ", …" : ""}`];
}
