/**
 * The servers of routed names, asked as the names' own clients would.
 *
 * Owns: what is asked of whom, how many at a time, and until when; who was not asked is told.
 */

import { formatEndpoint } from "../address.ts";
import type { IoError } from "../errors.ts";
import { Check, type CheckParts, type CheckResult } from "../health/check.ts";
import { abreast } from "../health/check_all.ts";
import type { CheckPlan } from "../health/check_plan.ts";
import type { DnsResolver } from "../host.ts";
import { type Finding, finding } from "./finding.ts";
import { UNASKED } from "./giving_up.ts";
import { type Addresses, addressesOf } from "./resolving.ts";
import { serverFindings } from "./server_findings.ts";
import type { ServedName } from "./shared_names.ts";
import { groupOf, planOf, type RoutedName } from "./way.ts";

export interface AskingParts extends Pick<CheckParts, "clock" | "probe"> {
  readonly resolver: DnsResolver;
  /** When nobody else is to be asked: milliseconds of the clock. */
  readonly until: number;
}

export const ABREAST = 16;

export interface Asked {
  readonly served: readonly ServedName[];
  readonly findings: readonly Finding[];
}

/** @param answers addresses of the names that were looked up. */
export async function askServers(
  parts: AskingParts,
  config: Parameters<typeof planOf>[0],
  names: readonly RoutedName[],
  answers: ReadonlyMap<string, Addresses>,
): Promise<Asked> {
  const findings: Finding[] = [];
  const planned: { readonly routed: RoutedName; readonly plan: CheckPlan; readonly key: string }[] = [];
  for (const routed of names) {
    const plan = planOf(config, routed);
    if (typeof plan === "string") findings.push(finding("not_examined", routed.name, plan));
    else planned.push({ routed, plan, key: `${routed.name} ${plan.upstream} ${plan.address}` });
  }
  // A name that comes in by several listeners asks its server once.
  const plans = new Map(planned.map(({ plan, key }) => [key, plan]));
  const all = await askAll(parts, [...plans.values()]);
  const results = new Map([...plans.keys()].map((key, index) => [key, all[index]]));
  const now = parts.clock.wallTime();
  const served: ServedName[] = [];
  for (const { routed, plan, key } of planned) {
    const result = results.get(key);
    if (result === undefined) continue;
    const server = plan.upstream === "" ? plan.address : `upstream ${plan.upstream} (${plan.address})`;
    findings.push(...serverFindings(routed.name, server, result, now));
    served.push(servedName(routed, plan, result, answers));
  }
  const left = all.filter((result) => result === undefined).length;
  if (left > 0) findings.push(finding("not_examined", "servers", `${left} of ${plans.size}: there was no time`));
  return { served, findings };
}

/** In the order of the plans; undefined for those that there was no time for. */
export async function askAll(parts: AskingParts, plans: readonly CheckPlan[]): Promise<(CheckResult | undefined)[]> {
  const { clock, probe, resolver, until } = parts;
  const results: (CheckResult | undefined)[] = plans.map(() => undefined);
  const resolve: CheckParts["resolve"] = (name, answer) =>
    void addressesOf(resolver, name).then((found) =>
      answer(typeof found === "string" ? failure(found === UNASKED ? "ETIMEOUT" : found) : found),
    );
  await abreast([...plans.entries()], ABREAST, async ([index, plan]) => {
    if (clock.now() >= until) return;
    results[index] = await new Promise<CheckResult>((done) => new Check(plan, { clock, probe, resolve }, done));
  });
  return results;
}

function failure(code: string): IoError {
  return { code, message: code };
}

function servedName(
  { name, listener, route }: RoutedName,
  { where, address }: CheckPlan,
  { names }: CheckResult,
  answers: ReadonlyMap<string, Addresses>,
): ServedName {
  const known = where.kind === "host" ? (answers.get(where.name) ?? []) : [];
  const endpoints =
    where.kind !== "host" || typeof known === "string"
      ? []
      : known.map((ip) => formatEndpoint({ kind: "tcp", ip, port: where.port }));
  return {
    name,
    group: groupOf(listener),
    server: route.to.kind === "upstream" ? `upstream ${route.to.name}` : address,
    addresses: [address, ...endpoints],
    certificateNames: names[0]?.certificate?.names ?? [],
    fingerprint: names[0]?.certificate?.fingerprint,
    multiplexes: names[0]?.multiplexes === true,
  };
}
