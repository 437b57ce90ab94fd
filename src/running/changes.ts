/**
 * What is different between two configurations, in words: one line for each thing that an operator would look for.
 *
 * Owns: the words, also for what only a restart changes. It must not carry anything out.
 */

import { formatEndpoint } from "../address.ts";
import type { Config, RouteTable, UpstreamConfig } from "../config/config.ts";
import { routesOf } from "../route_table/route_reader.ts";

export interface Changes {
  /** In force from now on. */
  readonly changes: readonly string[];
  /** Not in force before the next start. */
  readonly warnings: readonly string[];
}

export function changesBetween(before: Config, after: Config): Changes {
  const changes = [
    ...membersChanged("listener", listenersOf(before), listenersOf(after)),
    ...routesChanged(before, after),
    ...membersChanged("upstream", upstreamsOf(before), upstreamsOf(after)),
    ...SECTIONS.filter((section) => isDifferent(before[section], after[section])).map(
      (section) => `${section} changed`,
    ),
  ];
  return { changes, warnings: restartNeeded(before, after) };
}

const SECTIONS = ["timeouts", "limits", "log", "resolver", "selfAddresses", "tcp", "watch", "admin"] as const;

function isDifferent(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}

/** What each is, apart from its routes. */
function listenersOf({ listeners }: Config): Map<string, string> {
  return new Map(listeners.map(({ routes: _, ...own }) => [formatEndpoint(own.endpoint), JSON.stringify(own)]));
}

function upstreamsOf({ upstreams }: Config): Map<string, string> {
  return new Map([...upstreams.values()].map((upstream: UpstreamConfig) => [upstream.name, JSON.stringify(upstream)]));
}

function membersChanged(what: string, before: Map<string, string>, after: Map<string, string>): string[] {
  const lines: string[] = [];
  for (const [name, text] of after) {
    if (!before.has(name)) lines.push(`${what} ${name} added`);
    else if (before.get(name) !== text) lines.push(`${what} ${name} changed`);
  }
  for (const name of before.keys()) if (!after.has(name)) lines.push(`${what} ${name} removed`);
  return lines;
}

function routesChanged(before: Config, after: Config): string[] {
  const [was, is] = [tablesOf(before), tablesOf(after)];
  const count = (tables: readonly RouteTable[]): number => tables.reduce((sum, { size }) => sum + size, 0);
  if (count(was) + count(is) > MOST_COMPARED) return [`routes: ${count(was)} before, ${count(is)} now`];
  const [former, present] = [contentOf(was), contentOf(is)];
  const added = [...present.keys()].filter((key) => !former.has(key)).length;
  const removed = [...former.keys()].filter((key) => !present.has(key)).length;
  const changed = [...present].filter(([key, text]) => former.has(key) && former.get(key) !== text).length;
  const parts = [`${added} added`, `${removed} removed`, `${changed} changed`].filter((part) => !part.startsWith("0 "));
  return parts.length === 0 ? [] : [`routes: ${parts.join(", ")}`];
}

/** Beyond so many routes of both, looking at each would take longer than reading them. */
const MOST_COMPARED = 4_000;

/** What each route says, but not on which line. Tables are known by their order. */
function contentOf(tables: readonly RouteTable[]): Map<string, string> {
  const content = new Map<string, string>();
  for (const [index, table] of tables.entries()) {
    for (const { text, line: _, ...route } of routesOf(table)) content.set(`${index} ${text}`, JSON.stringify(route));
    content.set(`${index} default`, JSON.stringify([table.default, table.defaultGuard]));
  }
  return content;
}

function tablesOf({ listeners }: Config): RouteTable[] {
  return [...new Set(listeners.map(({ routes }) => routes))];
}

function restartNeeded(before: Config, after: Config): string[] {
  const warnings = (["workers", "adapter", "user", "group"] as const)
    .filter((option) => before[option] !== after[option])
    .map((option) => `${option}: ${after[option] ?? "none"} counts from the next start on`);
  if (before.tcp.userTimeout !== after.tcp.userTimeout) {
    warnings.push("tcp.userTimeout counts for clients of listeners that are opened from now on, and for servers");
  }
  return warnings;
}
