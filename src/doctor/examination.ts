/**
 * Examines a configuration, or one of its names, with the world around it.
 *
 * Owns: who is asked about what, how many at a time, and that it ends: what was not looked at is told.
 */

import { canonicalIp, formatEndpoint } from "../address.ts";
import type { Config, ListenerConfig } from "../config/config.ts";
import type { CheckParts, CheckResult } from "../health/check.ts";
import { abreast, checkAll } from "../health/check_all.ts";
import type { CheckPlan } from "../health/check_plan.ts";
import type { BindingRecord, DnsResolver } from "../host.ts";
import { createRouter } from "../proxy/listener_settings.ts";
import { routesOf } from "../route_table/route_reader.ts";
import { DirectPolicy } from "../upstream/direct_policy.ts";
import { type Finding, finding } from "./finding.ts";
import { givingUp, MOST_SILENT } from "./giving_up.ts";
import { examineName, type NameParts } from "./name_examination.ts";
import { serverFindings } from "./server_findings.ts";
import { type ServedName, sharedNames } from "./shared_names.ts";
import { planOf, type RoutedName } from "./way.ts";

export interface ExaminationParts extends Pick<CheckParts, "clock" | "probe"> {
  readonly config: Config;
  /** The configuration's. */
  readonly resolver: DnsResolver;
  /** Canonical addresses of this machine. */
  readonly ownAddresses: readonly string[];
}

/** Names that are examined. */
const MOST_NAMES = 200;
const ABREAST = 16;

/** The servers of every exact name with a route of its own. */
export async function examineServers(given: ExaminationParts): Promise<Finding[]> {
  const { config } = given;
  const bounded = givingUp(given.resolver);
  const parts: ExaminationParts = { ...given, resolver: bounded.resolver };
  const all = routedNames(config);
  const names = all.slice(0, MOST_NAMES);
  const left = all.length - names.length;
  const findings = left > 0 ? [finding("not_examined", "routes", `${left} of ${all.length} names`)] : [];
  const answers = new Map<string, readonly string[] | string>();
  await abreast([...new Set(names.map(({ name }) => name))], ABREAST, async (name) => {
    answers.set(name, await addressesOf(parts, name));
  });
  await abreast([...new Set(names.map(({ name }) => name))], ABREAST, async (name) => {
    const found = await bindingsOf(parts.resolver, name);
    if (found) findings.push(...found);
  });
  const refused = names.flatMap((routed) => refusals(parts, routed, answers.get(routed.name) ?? []));
  findings.push(...refused);
  const { served, found } = await askServers(
    parts,
    names.filter(({ name }) => !refused.some(({ subject }) => subject === name)),
    answers,
  );
  if (bounded.unasked > 0) {
    const seen = `${MOST_SILENT} questions in a row had no answer, and ${bounded.unasked} more were not asked`;
    findings.push(finding("not_examined", "resolver", seen));
  }
  return unique([...findings, ...found, ...sharedNames(served)]);
}

/** One name: for clients on this machine, on each listener, at its server. */
export async function examineRoutedName(
  parts: ExaminationParts,
  name: string,
  asClient: NameParts,
): Promise<Finding[]> {
  const { config } = parts;
  const findings = await examineName(name, asClient);
  const routed = config.listeners
    .filter(({ protocol }) => protocol !== "http")
    .map((listener) => ({ name, listener, route: createRouter(listener.routes).match(name) }));
  for (const { listener, route } of routed) {
    const seen = `${formatEndpoint(listener.endpoint)}: ${route.text}`;
    findings.push(finding(route.to.kind === "reject" ? "not_routed" : "routed", name, seen));
  }
  const answers = new Map([[name, await addressesOf(parts, name)]]);
  const refused = routed.flatMap((one) => refusals(parts, one, answers.get(name) ?? []));
  if (refused.length > 0) return unique([...findings, ...refused]);
  const { found, served } = await askServers(parts, routed, answers);
  findings.push(...found);
  for (const { listener } of routed) findings.push(...(await throughProxy(parts, name, listener, served)));
  return unique(findings);
}

/** Listeners that share their routes lead to the same findings. */
function unique(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((found) => [`${found.id} ${found.subject} ${found.seen}`, found])).values()];
}

function routedNames(config: Config): RoutedName[] {
  const found = new Map<string, RoutedName>();
  for (const listener of config.listeners) {
    if (listener.protocol === "http") continue;
    for (const route of routesOf(listener.routes)) {
      if (route.kind !== "exact" || route.to.kind === "reject") continue;
      const key = `${groupOf(listener)} ${route.name}`;
      if (!found.has(key)) found.set(key, { name: route.name, listener, route });
    }
  }
  return [...found.values()];
}

/** Clients find listeners of one group at one address. */
function groupOf({ endpoint }: ListenerConfig): string {
  return endpoint.kind === "tcp" ? endpoint.ip : formatEndpoint(endpoint);
}

/** A name's addresses, or the code of why there are none. */
function addressesOf({ resolver }: ExaminationParts, name: string): Promise<readonly string[] | string> {
  return new Promise((answered) =>
    resolver.resolve(name, (outcome) =>
      answered("code" in outcome ? outcome.code : outcome.addresses.map((one) => canonicalIp(one) ?? one)),
    ),
  );
}

function bindingsOf(resolver: DnsResolver, name: string): Promise<Finding[] | undefined> {
  return new Promise((answered) =>
    resolver.resolveBindings(name, (outcome) =>
      answered("code" in outcome ? undefined : httpsFindings(name, outcome.bindings)),
    ),
  );
}

function httpsFindings(name: string, bindings: readonly BindingRecord[]): Finding[] {
  const hides = bindings.some(({ ech }) => ech);
  const leads = bindings.some(({ alpn, hints, target }) => alpn.includes("h3") || hints.length > 0 || target !== "");
  if (!hides && !leads) return [];
  return [finding("https_record", name, hides ? "it has one with ECH" : "it has one that leads elsewhere")];
}

/** Why `direct` would not dial what the name resolves to. */
function refusals(
  { config, ownAddresses }: ExaminationParts,
  { name, listener, route }: RoutedName,
  answer: readonly string[] | string,
): Finding[] {
  if (route.to.kind !== "direct" || route.via !== undefined) return [];
  if (typeof answer === "string") {
    return [
      finding(
        answer === "ENOTFOUND" ? "name_unresolved" : "resolver_silent",
        name,
        `as the proxy resolves it: ${answer}`,
      ),
    ];
  }
  const policy = new DirectPolicy(
    config.listeners.map(({ endpoint }) => endpoint),
    ownAddresses,
    config.selfAddresses,
  );
  const port = route.to.port ?? (listener.endpoint.kind === "tcp" ? listener.endpoint.port : 443);
  const reasons = answer.map((ip) => [ip, policy.refuses(ip, port, route.allowPrivate)] as const);
  const [first] = reasons;
  if (first === undefined || reasons.some(([, reason]) => reason === undefined)) return [];
  const [ip, reason = ""] = first;
  const isLoop = reason.includes("certless itself");
  return [finding(isLoop ? "loop" : "address_refused", name, `it resolves to ${ip}: ${reason}`)];
}

interface Asked {
  readonly served: readonly ServedName[];
  readonly found: readonly Finding[];
}

async function askServers(
  parts: ExaminationParts,
  names: readonly RoutedName[],
  answers: ReadonlyMap<string, readonly string[] | string>,
): Promise<Asked> {
  const { config, clock, probe } = parts;
  /** A name that comes in by several listeners asks its server once. */
  const plans = new Map<string, CheckPlan>();
  const planned = names.flatMap((routed) => {
    const plan = planOf(config, routed);
    if (plan === undefined) return [];
    const key = `${routed.name} ${plan.upstream} ${plan.address}`;
    plans.set(key, plan);
    return [{ routed, plan, key }];
  });
  const resolve: CheckParts["resolve"] = (name, answer) =>
    void addressesOf(parts, name).then((found) => answer(typeof found === "string" ? failureOf(found) : found));
  const all = await checkAll([...plans.values()], { clock, probe, resolve });
  const results = new Map([...plans.keys()].map((key, index) => [key, all[index] as CheckResult]));
  const now = clock.wallTime();
  const served: ServedName[] = [];
  const found: Finding[] = [];
  for (const { routed, plan, key } of planned) {
    const { name, listener, route } = routed;
    const result = results.get(key) as CheckResult;
    const server = plan.upstream === "" ? plan.address : `upstream ${plan.upstream} (${plan.address})`;
    found.push(...serverFindings(name, server, result, now));
    const certificate = result.names[0]?.certificate;
    const addresses = plan.where.kind === "host" ? (answers.get(plan.where.name) ?? []) : [plan.address];
    served.push({
      name,
      group: groupOf(listener),
      server: route.to.kind === "upstream" ? `upstream ${route.to.name}` : plan.address,
      addresses: typeof addresses === "string" ? [] : addresses,
      certificateNames: certificate?.names ?? [],
      fingerprint: certificate?.fingerprint,
    });
  }
  return { served, found };
}

function failureOf(code: string) {
  return { code, message: code };
}

/** The same handshake by way of the proxy that runs here. */
async function throughProxy(
  { probe }: ExaminationParts,
  name: string,
  { endpoint, protocol, proxyProtocol }: ListenerConfig,
  served: readonly ServedName[],
): Promise<Finding[]> {
  if (endpoint.kind !== "tcp" || endpoint.port === 0 || protocol === "postgres" || proxyProtocol) return [];
  const ip = endpoint.ip === "0.0.0.0" ? "127.0.0.1" : endpoint.ip === "::" ? "::1" : endpoint.ip;
  const at = formatEndpoint({ ...endpoint, ip });
  const result = await new Promise<Parameters<Parameters<typeof probe>[1]>[0]>((done) =>
    probe({ endpoint: { ...endpoint, ip }, timeout: 5_000, tls: { serverName: name } }, done),
  );
  if (!result.ok) return [finding("proxy_unreachable", name, `${at}: ${result.error.code} (${result.stage})`)];
  const expected = served.find((one) => one.name === name)?.fingerprint;
  if (expected === undefined) return [];
  const isSame = result.certificate?.fingerprint === expected;
  return [finding(isSame ? "proxy_passes" : "proxy_differs", name, `${at}${isSame ? "" : ": another certificate"}`)];
}
