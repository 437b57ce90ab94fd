/** `certless doctor`: what is wrong, or will be, with a configuration or one name of it, and what to do. */

import type { Adapter } from "../adapter.ts";
import { canonicalIp, parsePort } from "../address.ts";
import type { Config } from "../config/config.ts";
import { namedServers } from "../config/named_servers.ts";
import { examineAsClient } from "../doctor/client_examination.ts";
import { examineConfig } from "../doctor/config_examination.ts";
import { examineDnsServers } from "../doctor/dns_servers.ts";
import { type ExaminationParts, examineRoutedName, examineServers, examineUpstreams } from "../doctor/examination.ts";
import { type Finding, finding, worstFirst } from "../doctor/finding.ts";
import { examineMachine } from "../doctor/machine_examination.ts";
import type { NameParts } from "../doctor/name_examination.ts";
import { portOf } from "../doctor/way.ts";
import type { CheckPlan } from "../health/check_plan.ts";
import type { DnsResolver, Host } from "../host.ts";
import { normalizeConfigName } from "../hostname.ts";
import { type CliContext, CliError, type Command, type CommandArgs, EXIT } from "./command.ts";
import { findingsText } from "./doctor_text.ts";
import { DEFAULT_FILE, type LoadedConfig, load } from "./load.ts";
import { openNames } from "./names.ts";
import { planServers } from "./probe.ts";
import { styleFor } from "./style.ts";

export const doctor: Command = {
  summary: "find what is wrong with a configuration or a name, and say what to do",
  usage: "[NAME] [FILE] [--ip ADDRESS] [--port N] [--json]",
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
    port: {
      type: "string",
      value: "N",
      help: "its port, as clients reach it (default: 443, or the first listener's)",
    },
    json: { type: "boolean", help: "findings as a JSON array, for machines" },
  },
  maxPositionals: 2,
  async run(context: CliContext, { values, positionals }: CommandArgs): Promise<number> {
    const { name: given, file } = readPositionals(positionals);
    const name = given === undefined ? undefined : readName(context, given);
    const ip = readIp(values.ip);
    const port = readPort(values.port);
    const loaded = await loadUnlessClient(context, file, name, ip);
    const findings = worstFirst(await examine(context, loaded, { name, ip, port }));
    const { stdout } = context.host;
    if (values.json === true) stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
    else stdout.write(findingsText(findings, styleFor(context.host, stdout)));
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

function readPort(given: string | boolean | undefined): number | undefined {
  if (given === undefined) return undefined;
  const port = parsePort(String(given));
  if (port === undefined) throw new CliError(`Cannot examine --port ${JSON.stringify(given)}: it is not a port`);
  return port;
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

interface Question {
  readonly name: string | undefined;
  readonly ip: string | undefined;
  readonly port: number | undefined;
}

function portFor(loaded: LoadedConfig | undefined): number {
  const listeners = loaded?.config.listeners ?? [];
  const first = listeners.find(({ protocol }) => protocol === "tls") ?? listeners[0];
  return first === undefined ? 443 : portOf(first);
}

async function examine(
  context: CliContext,
  loaded: LoadedConfig | undefined,
  { name, ip, port }: Question,
): Promise<Finding[]> {
  const { host } = context;
  const { adapter } = await context.selectAdapter("auto");
  const system = host.createResolver({ servers: [], timeout: TIMEOUT });
  const asClient: NameParts = {
    resolver: system,
    hostsFile: await hostsFile(host),
    proxyAddresses: ip === undefined ? [] : [ip],
    ownAddresses: host.interfaceAddresses().map((address) => canonicalIp(address) ?? address),
    port: port ?? portFor(loaded),
  };
  try {
    if (loaded !== undefined) return await examineHere(context, adapter, loaded, name, asClient);
    const parts = { ...asClient, probe: host.probe, clock: adapter.clock };
    return await examineAsClient(parts, name as string, ip as string);
  } finally {
    system.close();
  }
}

async function examineHere(
  { host }: CliContext,
  adapter: Adapter,
  { config }: LoadedConfig,
  name: string | undefined,
  asClient: NameParts,
): Promise<Finding[]> {
  const { clock } = adapter;
  const until = clock.now() + PATIENCE;
  const timeout = Math.min(TIMEOUT, config.resolver.timeout);
  const resolver: DnsResolver = host.createResolver({ ...config.resolver, timeout });
  const { ownAddresses } = asClient;
  const parts: ExaminationParts = { config, resolver, clock, probe: host.probe, ownAddresses, until };
  try {
    if (name !== undefined) return await examineRoutedName(parts, name, asClient);
    const system = await host.openSystem?.();
    const ownerOf = async (endpoint: Parameters<Adapter["listen"]>[0]) => system?.portOwner(endpoint);
    const asked = namedServers(config)[0]?.name ?? "localhost";
    const found = await Promise.all([
      examineMachine({ config, adapter, host, ownerOf }),
      examineDnsServers(config, host, asked, timeout),
      examineServers(parts),
      upstreams(host, config, parts),
    ]);
    return [...examineConfig(config), ...found.flat()];
  } finally {
    resolver.close();
  }
}

async function upstreams(host: Host, config: Config, parts: ExaminationParts): Promise<Finding[]> {
  const timeout = Math.min(TIMEOUT, config.resolver.timeout);
  const { resolver, names } = openNames(host, { ...config, resolver: { ...config.resolver, timeout } });
  try {
    const { plans, faults } = await planServers(config, names, parts.clock);
    const asked = plans.slice(0, MOST_SERVERS);
    const left = plans.length - asked.length;
    return [
      ...faults.map((fault) => finding("name_unresolved", "upstreams", fault)),
      ...(left > 0 ? [finding("not_examined", "upstreams", `${left} of ${plans.length} servers`)] : []),
      ...(await examineUpstreams(parts, asked.map(inTime))),
    ];
  } finally {
    resolver.close();
  }
}

function inTime(plan: CheckPlan): CheckPlan {
  return { ...plan, check: { ...plan.check, timeout: Math.min(TIMEOUT, plan.check.timeout) } };
}

/** Milliseconds for one name, or one server. */
const TIMEOUT = 3_000;
/** Milliseconds after which nobody else is asked; who was asked before has his own few seconds. */
const PATIENCE = 15_000;
/** Of upstreams, that are asked. */
const MOST_SERVERS = 100;

async function hostsFile(host: Host): Promise<string> {
  try {
    return await host.readTextFile("/etc/hosts");
  } catch {
    return "";
  }
}
