/** `certless doctor`: what is wrong, or will be, with a configuration or one name of it, and what to do. */

import { canonicalIp } from "../address.ts";
import { escapeInvisible } from "../config/quote.ts";
import { examineConfig } from "../doctor/config_examination.ts";
import { type ExaminationParts, examineRoutedName, examineServers } from "../doctor/examination.ts";
import { type Finding, type Level, worstFirst } from "../doctor/finding.ts";
import { examineMachine } from "../doctor/machine_examination.ts";
import { examineName } from "../doctor/name_examination.ts";
import type { DnsResolver, Host } from "../host.ts";
import { normalizeConfigName } from "../hostname.ts";
import { type CliContext, CliError, type Command, type CommandArgs, EXIT } from "./command.ts";
import { DEFAULT_FILE, type LoadedConfig, load } from "./load.ts";
import { type Style, styleFor } from "./style.ts";
import { plural } from "./summary.ts";

export const doctor: Command = {
  summary: "find what is wrong with a configuration or a name, and say what to do",
  usage: "[NAME] [FILE] [--ip ADDRESS] [--json]",
  help: `Without NAME it examines FILE (certless.yaml if none is named) with all that it leads to: routes,
regular expressions, ports, and the servers of every exact name with their certificates. With NAME
it follows that name: hosts file, DNS, HTTPS records, route, server, and the proxy that runs.

  certless doctor
  certless doctor api.example.com
  certless doctor api.example.com --ip 10.0.0.5

The last one also works on a client's machine, without a configuration: does the name lead to the
proxy at that address?

Exit code 0: nothing worse than a note. 1: a warning or a fault. 2: the question or the
configuration is faulty.`,
  options: {
    ip: { type: "string", value: "ADDRESS", help: "address of the proxy, as clients reach it" },
    json: { type: "boolean", help: "findings as a JSON array, for machines" },
  },
  maxPositionals: 2,
  async run(context: CliContext, { values, positionals }: CommandArgs): Promise<number> {
    const { name: given, file } = readPositionals(positionals);
    const name = given === undefined ? undefined : readName(context, given);
    const ip = readIp(values.ip);
    const loaded = await loadUnlessClient(context, file, name, ip);
    const findings = worstFirst(await examine(context, loaded, name, ip));
    const { stdout } = context.host;
    if (values.json === true) stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
    else stdout.write(textOf(findings, styleFor(context.host, stdout)));
    return findings.some(({ level }) => level === "fault" || level === "warning") ? EXIT.no : EXIT.ok;
  },
};

/** A file is known by its looks: no host name has a slash or ends in `.yaml`. */
function readPositionals(positionals: readonly string[]): { readonly name?: string; readonly file?: string } {
  const isFile = (text: string): boolean => /\/|\.ya?ml$|^-$/.test(text);
  const names = positionals.filter((text) => !isFile(text));
  const files = positionals.filter(isFile);
  if (names.length > 1 || files.length > 1) {
    throw new CliError("Cannot examine that: give one name and one file at most (certless doctor NAME FILE)");
  }
  return { ...(names[0] !== undefined && { name: names[0] }), ...(files[0] !== undefined && { file: files[0] }) };
}

function readName({ host }: CliContext, given: string): string {
  const name = normalizeConfigName(given, (text) => host.domainToAscii(text));
  if (name === undefined) throw new CliError(`Cannot examine ${JSON.stringify(given)}: it is not a host name`);
  return name;
}

function readIp(given: string | boolean | undefined): string | undefined {
  if (given === undefined) return undefined;
  const ip = canonicalIp(String(given));
  if (ip === undefined) throw new CliError(`Cannot examine --ip ${JSON.stringify(given)}: it is not an IP address`);
  return ip;
}

/** Undefined on a client's machine: there is no configuration, and the proxy's address says what to look for. */
async function loadUnlessClient(
  context: CliContext,
  file: string | undefined,
  name: string | undefined,
  ip: string | undefined,
): Promise<LoadedConfig | undefined> {
  const isClient = file === undefined && name !== undefined && context.host.fileStamp(DEFAULT_FILE) === undefined;
  if (!isClient) return load(context, file);
  if (ip !== undefined) return undefined;
  const remedy = `name a file, or on a client's machine the proxy's address (certless doctor ${name} --ip ADDRESS)`;
  throw new CliError(`Cannot examine ${name}: there is no ${DEFAULT_FILE} in this directory; ${remedy}`);
}

async function examine(
  context: CliContext,
  loaded: LoadedConfig | undefined,
  name: string | undefined,
  ip: string | undefined,
): Promise<Finding[]> {
  const { host } = context;
  const system = host.createResolver({ servers: [], timeout: TIMEOUT });
  const asClient = { resolver: system, hostsFile: await hostsFile(host), proxyAddresses: ip === undefined ? [] : [ip] };
  try {
    if (loaded === undefined) return await examineName(name as string, asClient);
    return await examineHere(context, loaded, name, asClient);
  } finally {
    system.close();
  }
}

async function examineHere(
  context: CliContext,
  { config }: LoadedConfig,
  name: string | undefined,
  asClient: Parameters<typeof examineName>[1],
): Promise<Finding[]> {
  const { host } = context;
  const { adapter } = await context.selectAdapter("auto");
  const timeout = Math.min(TIMEOUT, config.resolver.timeout);
  const resolver: DnsResolver = host.createResolver({ ...config.resolver, timeout });
  const parts: ExaminationParts = {
    config,
    resolver,
    clock: adapter.clock,
    probe: host.probe,
    ownAddresses: host.interfaceAddresses(),
  };
  try {
    if (name !== undefined) return await examineRoutedName(parts, name, asClient);
    const machine = await examineMachine({ config, adapter, host });
    return [...examineConfig(config), ...machine, ...(await examineServers(parts))];
  } finally {
    resolver.close();
  }
}

/** Milliseconds for one name. */
const TIMEOUT = 3_000;

async function hostsFile(host: Host): Promise<string> {
  try {
    return await host.readTextFile("/etc/hosts");
  } catch {
    return "";
  }
}

const WIDTH = 78;

function textOf(findings: readonly Finding[], style: Style): string {
  const colours: Readonly<Record<Level, (text: string) => string>> = {
    fault: style.red,
    warning: style.yellow,
    note: style.bold,
    ok: style.green,
  };
  const lines = findings.flatMap(({ level, id, subject, seen, why, remedy }) => [
    `${colours[level](level.padEnd(8))}${escapeInvisible(subject)}  ${style.dim(id)}`,
    ...wrap(escapeInvisible(seen)),
    ...(level === "ok" ? [] : [...wrap(`why: ${why}`), ...wrap(`do:  ${remedy}`)]),
  ]);
  const worst = findings.filter(({ level }) => level === "fault" || level === "warning").length;
  const verdict = worst === 0 ? "nothing is wrong" : `${plural(worst, "finding")} to look at`;
  return `${[...lines, `${plural(findings.length, "finding")}: ${verdict}`].join("\n")}\n`;
}

/** In lines of 80 columns, indented. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length + 9 > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `        ${one}`);
}
