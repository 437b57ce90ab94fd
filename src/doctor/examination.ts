/**
 * Examines a configuration, or one of its names, with the world around it.
 *
 * Owns: who is asked about what, and in which order, and that it ends: what was not looked at is told.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import type { Config } from "../config/config.ts";
import { abreast } from "../health/check_all.ts";
import type { CheckPlan } from "../health/check_plan.ts";
import { createRouter } from "../proxy/listener_settings.ts";
import { routesOf } from "../route_table/route_reader.ts";
import { type Finding, finding } from "./finding.ts";
import { givingUp, MOST_SILENT, UNASKED } from "./giving_up.ts";
import { bindingFindings } from "./https_record.ts";
import { examineName, type NameParts } from "./name_examination.ts";
import { throughListeners } from "./proxy_passage.ts";
import { refusals, resolvedNames } from "./refusals.ts";
import { type Addresses, addressesOf, bindingsOf } from "./resolving.ts";
import { ABREAST, type AskingParts, askAll, askServers } from "./server_answers.ts";
import { examineClock } from "./server_clock.ts";
import { sharedNames } from "./shared_names.ts";
import { upstreamFindings } from "./upstream_findings.ts";
import { groupOf, planOf, portOf, type RoutedName } from "./way.ts";

export interface ExaminationParts extends AskingParts {
  readonly config: Config;
  /** Canonical addresses of this machine. */
  readonly ownAddresses: readonly string[];
}

/** Names that are examined. */
const MOST_NAMES = 200;
/** Of the time, what looking names up may take. */
const LOOKING_UP = 0.4;

/** The servers of every exact name with a route of its own. */
export async function examineServers(given: ExaminationParts): Promise<Finding[]> {
  const bounded = givingUp(given.resolver);
  const parts: ExaminationParts = { ...given, resolver: bounded.resolver };
  const all = routedNames(parts.config);
  const names = all.slice(0, MOST_NAMES);
  const { answers, findings } = await lookUp(parts, names);
  const known = names.filter(({ name }) => answers.has(name));
  const left = all.length - known.length;
  if (left > 0) findings.push(finding("not_examined", "routes", `${left} of ${all.length} names`));
  const refused = known.flatMap((routed) => refusals(parts, routed, answers));
  const asked = await askServers(
    parts,
    parts.config,
    known.filter(({ name }) => !refused.some(({ subject }) => subject === name)),
    answers,
  );
  if (bounded.unasked > 0) {
    const seen = `${MOST_SILENT} questions in a row had no answer, and ${bounded.unasked} more were not asked`;
    findings.push(finding("not_examined", "resolver", seen));
  }
  return unique([...findings, ...refused, ...asked.findings, ...sharedNames(asked.served)]);
}

/** Listeners that share their routes lead to the same findings. */
function unique(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((found) => [`${found.id} ${found.subject} ${found.seen}`, found])).values()];
}

interface LookedUp {
  readonly answers: ReadonlyMap<string, Addresses>;
  readonly findings: Finding[];
}

/** Each name once: what the proxy resolves it to, and what its HTTPS records say. */
async function lookUp(parts: ExaminationParts, names: readonly RoutedName[]): Promise<LookedUp> {
  const { clock, resolver, until, ownAddresses } = parts;
  const began = clock.now();
  const end = began + (until - began) * LOOKING_UP;
  const answers = new Map<string, Addresses>();
  const findings: Finding[] = [];
  // Clients' names, each with its port, and then those that only the proxy resolves.
  const distinct = new Map<string, number | undefined>(names.map(({ name, listener }) => [name, portOf(listener)]));
  for (const name of names.flatMap((routed) => resolvedNames(parts.config, routed))) {
    if (!distinct.has(name)) distinct.set(name, undefined);
  }
  await abreast([...distinct], ABREAST, async ([name, port]) => {
    if (clock.now() >= end) return;
    const [addresses, bindings] = await Promise.all([
      addressesOf(resolver, name),
      port === undefined ? [] : bindingsOf(resolver, name, port),
    ]);
    if (addresses === UNASKED) return;
    answers.set(name, addresses);
    // Who has no records, or no resolver, is told by the addresses.
    if (typeof bindings === "string") return;
    findings.push(...bindingFindings(name, bindings, ownAddresses).filter(({ level }) => level !== "ok"));
  });
  return { answers, findings };
}

/** Each upstream that has servers to be asked. @param plans one for each server. */
export async function examineUpstreams(parts: ExaminationParts, plans: readonly CheckPlan[]): Promise<Finding[]> {
  const results = await askAll(parts, plans);
  return [...parts.config.upstreams.values()].flatMap((upstream) => {
    const answers = plans.flatMap(({ upstream: of, address, isBackup = false }, index) => {
      const result = results[index];
      if (of !== upstream.name || result === undefined) return [];
      return [{ address, isBackup, error: result.error }];
    });
    return upstreamFindings(upstream, answers);
  });
}

/** One name: for clients on this machine, on each listener, at its server. */
export async function examineRoutedName(
  parts: ExaminationParts,
  name: string,
  asClient: NameParts,
): Promise<Finding[]> {
  const { config, resolver, probe } = parts;
  const met = config.listeners.map((listener) => ({
    name,
    listener,
    route: createRouter(listener.routes).match(name),
  }));
  const lookedUp = new Set([name, ...met.flatMap((one) => resolvedNames(config, one))]);
  const answers = new Map<string, Addresses>();
  const lookUps = [...lookedUp].map(async (one) => void answers.set(one, await addressesOf(resolver, one)));
  const [findings] = await Promise.all([examineName(name, asClient), ...lookUps]);
  for (const { listener, route } of met) {
    const seen = `${formatEndpoint(listener.endpoint)}: ${route.text}`;
    findings.push(finding(route.to.kind === "reject" ? "not_routed" : "routed", name, seen));
  }
  const routed = met.filter(({ listener, route }) => listener.protocol !== "http" && route.to.kind !== "reject");
  const refused = routed.flatMap((one) => refusals(parts, one, answers));
  if (refused.length > 0) return unique([...findings, ...refused]);
  const asked = await askServers(parts, config, routed, answers);
  const expectedOf = (listener: RoutedName["listener"]): string | undefined =>
    asked.served.find(({ group }) => group === groupOf(listener))?.fingerprint;
  const [passage, clock] = await Promise.all([
    throughListeners(probe, { listeners: routed.map(({ listener }) => listener) }, name, expectedOf),
    clockOf(parts, routed, answers),
  ]);
  return unique([...findings, ...asked.findings, ...clock, ...passage]);
}

/** By the first server that a TLS listener leads to. */
async function clockOf(
  parts: ExaminationParts,
  routed: readonly RoutedName[],
  answers: ReadonlyMap<string, Addresses>,
): Promise<Finding[]> {
  const first = routed.find(({ listener }) => listener.protocol === "tls");
  const plan = first && planOf(parts.config, first);
  if (first === undefined || plan === undefined || typeof plan === "string" || plan.prefix !== undefined) return [];
  const endpoint = endpointOf(plan.where, answers);
  return endpoint === undefined ? [] : examineClock(parts, first.name, endpoint);
}

function endpointOf(where: CheckPlan["where"], answers: ReadonlyMap<string, Addresses>): Endpoint | undefined {
  if (where.kind !== "host") return where;
  const addresses = answers.get(where.name) ?? [];
  const ip = typeof addresses === "string" ? undefined : addresses[0];
  return ip === undefined ? undefined : { kind: "tcp", ip, port: where.port };
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
