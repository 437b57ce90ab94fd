/**
 * Why the proxy would not dial what a name resolves to: `direct` into the inner network, and certless itself.
 *
 * Owns: asking the very policy that the proxy has. It must not resolve.
 */

import type { Config } from "../config/config.ts";
import { DirectPolicy } from "../upstream/direct_policy.ts";
import { type Finding, finding } from "./finding.ts";
import type { Addresses } from "./resolving.ts";
import { portOf, type RoutedName } from "./way.ts";

export interface RefusalParts {
  readonly config: Pick<Config, "listeners" | "selfAddresses">;
  readonly ownAddresses: readonly string[];
}

/** @param answer what the proxy resolves the route's own name to. */
export function refusals(
  { config, ownAddresses }: RefusalParts,
  { name, listener, route }: RoutedName,
  answer: Addresses,
): Finding[] {
  if (route.to.kind !== "direct" || route.via !== undefined) return [];
  if (typeof answer === "string") {
    const id = answer === "ENOTFOUND" ? "name_unresolved" : "resolver_silent";
    return [finding(id, name, `as the proxy resolves it: ${answer}`)];
  }
  const endpoints = config.listeners.map(({ endpoint }) => endpoint);
  const policy = new DirectPolicy(endpoints, ownAddresses, config.selfAddresses);
  const port = route.to.port ?? portOf(listener);
  const reasons = answer.map((ip) => [ip, policy.refuses(ip, port, route.allowPrivate)] as const);
  const [first] = reasons;
  if (first === undefined || reasons.some(([, reason]) => reason === undefined)) return [];
  const [ip, reason = ""] = first;
  const isLoop = reason.includes("certless itself");
  return [finding(isLoop ? "loop" : "address_refused", name, `it resolves to ${ip}: ${reason}`)];
}
