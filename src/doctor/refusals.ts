/**
 * Why the proxy would not dial what a name resolves to: `direct` into the inner network, and certless itself.
 *
 * Owns: asking the very policy that the proxy has. It must not resolve.
 */

import type { Config, Destination, Target } from "../config/config.ts";
import { DirectPolicy } from "../upstream/direct_policy.ts";
import { type Finding, finding } from "./finding.ts";
import type { Addresses } from "./resolving.ts";
import { portOf, type RoutedName } from "./way.ts";

export interface RefusalParts {
  readonly config: Pick<Config, "listeners" | "selfAddresses" | "upstreams">;
  readonly ownAddresses: readonly string[];
}

/** The names that the proxy resolves on a name's way: its own, or those of the servers that its route names. */
export function resolvedNames({ upstreams }: Pick<Config, "upstreams">, { name, route }: RoutedName): string[] {
  const { to, via } = route;
  if (via !== undefined) return [];
  if (to.kind === "direct") return [name];
  return hostTargets(upstreams, to).map((target) => target.name);
}

type HostTarget = Extract<Target, { kind: "host" }>;

function hostTargets(upstreams: Config["upstreams"], to: Destination): HostTarget[] {
  if (to.kind === "host") return [to];
  const upstream = to.kind === "upstream" ? upstreams.get(to.name) : undefined;
  if (upstream === undefined || upstream.via !== undefined) return [];
  return upstream.servers.flatMap(({ target, discover }) =>
    target.kind === "host" && discover !== "service" ? [target] : [],
  );
}

/** @param answers what the proxy resolves each of `resolvedNames` to. */
export function refusals(
  { config, ownAddresses }: RefusalParts,
  { name, listener, route }: RoutedName,
  answers: ReadonlyMap<string, Addresses>,
): Finding[] {
  const { to, via, allowPrivate } = route;
  if (via !== undefined) return [];
  const endpoints = config.listeners.map(({ endpoint }) => endpoint);
  const policy = new DirectPolicy(endpoints, ownAddresses, config.selfAddresses);
  if (to.kind === "direct") {
    const port = to.port ?? portOf(listener);
    return directRefusals(name, answers.get(name) ?? [], (ip) => policy.refuses(ip, port, allowPrivate));
  }
  // Servers that are named may be anywhere, but for certless itself.
  return hostTargets(config.upstreams, to).flatMap((target) => {
    const answer = answers.get(target.name);
    if (answer === undefined || typeof answer === "string") return [];
    const found = directRefusals(name, answer, (ip) => policy.refuses(ip, target.port, true), ` (${target.name})`);
    return found.filter(({ id }) => id === "loop");
  });
}

function directRefusals(
  name: string,
  answer: Addresses,
  refuses: (ip: string) => string | undefined,
  note = "",
): Finding[] {
  if (typeof answer === "string") {
    const id = answer === "ENOTFOUND" ? "name_unresolved" : "resolver_silent";
    return [finding(id, name, `as the proxy resolves it: ${answer}`)];
  }
  const reasons = answer.map((ip) => [ip, refuses(ip)] as const);
  const [first] = reasons;
  if (first === undefined || reasons.some(([, reason]) => reason === undefined)) return [];
  const [ip, reason = ""] = first;
  const isLoop = reason.includes("certless itself");
  return [finding(isLoop ? "loop" : "address_refused", name, `it resolves to ${ip}${note}: ${reason}`)];
}
