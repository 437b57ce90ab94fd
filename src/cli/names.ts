/**
 * Names for a command that looks some up and ends.
 */

import type { Config } from "../config/config.ts";
import type { Host, Resolver } from "../host.ts";
import { NameCache } from "../names/name_cache.ts";

/** The caller closes `resolver` in the end. */
export function openNames(host: Host, config: Config): { readonly resolver: Resolver; readonly names: NameCache } {
  const resolver = host.createResolver(config.resolver);
  const clock = { now: () => 0, after: () => () => {} };
  return { resolver, names: new NameCache({ resolver, clock, times: config.resolver, warn: () => {} }) };
}
