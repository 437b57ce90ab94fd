/**
 * Passwords that a configuration names, and never holds.
 *
 * Owns: which ones there are, and the key under which each is kept once it was read. They stay in memory, and in no message.
 */

import { notedRoutes } from "../route_table/route_reader.ts";
import type { Config, SecretSource, ViaConfig } from "./config.ts";

/** Passwords by `secretKey`. */
export type Secrets = Readonly<Record<string, string>>;

/** One text for each source; no secret itself. */
export function secretKey(source: SecretSource): string {
  return source.kind === "file" ? `file:${source.path}` : `env:${source.name}`;
}

/** Every proxy that is named, each with its place. */
export function* viasOf(config: Config): Generator<readonly [via: ViaConfig, place: string]> {
  for (const [name, { via }] of config.upstreams) if (via !== undefined) yield [via, `upstreams.${name}.via`];
  for (const table of new Set(config.listeners.map(({ routes }) => routes))) {
    for (const { via, text } of notedRoutes(table)) if (via !== undefined) yield [via, `routes.${text}.via`];
  }
}
