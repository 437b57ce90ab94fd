/**
 * What a configuration shows by itself: routes that nothing meets, expressions that blow up, upstreams without servers.
 *
 * Owns: those questions. It must not ask anybody.
 */

import type { Config, Route, RouteTable } from "../config/config.ts";
import { escapeInvisible } from "../config/quote.ts";
import { createRouter } from "../proxy/listener_settings.ts";
import { routesOf } from "../route_table/route_reader.ts";
import type { Router } from "../router.ts";
import { type Finding, finding } from "./finding.ts";
import { regexEnds } from "./regex_ends.ts";
import { regexRisk } from "./regex_risk.ts";

/** Routes that are compared with each other; of more, the first ones. */
const MOST_COMPARED = 20_000;
/** A label that no exact route is likely to hold. */
const NOBODY = "certless-doctor";
/** Expressions that any name meets. */
const ANYTHING = new Set(["", "^", "$", ".", ".*", "^.*", ".*$", "^.*$", ".+", "^.+", ".+$", "^.+$"]);

export function examineConfig(config: Config): Finding[] {
  const tables = new Set(config.listeners.map(({ routes }) => routes));
  const findings = [...tables].flatMap((table) => [...examineTable(table)]);
  if (!tables.has(config.routes) && config.routes.size > 0) {
    findings.push(finding("routes_unused", "routes", `${config.routes.size} routes, and no listener without its own`));
  }
  return [...findings, ...examineUpstreams(config)];
}

function* examineTable(table: RouteTable): Generator<Finding> {
  const router = createRouter(table);
  let count = 0;
  let everything: Route | undefined;
  for (const route of routesOf(table)) {
    if (route.kind === "regex") {
      yield* examineRegex(route, router, everything);
      if (everything === undefined && ANYTHING.has(route.source)) everything = route;
    } else if (++count <= MOST_COMPARED && (route.kind === "exact" || route.kind === "suffix")) {
      yield* examineName(route, router);
    }
  }
}

function* examineRegex(
  route: Route & { readonly kind: "regex" },
  router: Router,
  everything: Route | undefined,
): Generator<Finding> {
  const risk = regexRisk(route.source);
  if (risk === "exponential") yield finding("regex_exponential", named(route), placed(route));
  if (risk === "slow") yield finding("regex_slow", named(route), placed(route));
  if (risk === "unknown") yield finding("regex_unknown", named(route), placed(route));
  const name = onlyName(route.source);
  const taker = everything ?? (name === undefined ? wildcardOver(route.source, router) : router.match(name));
  if (taker !== undefined && taker.text !== route.text) {
    yield finding("route_shadowed", named(route), `${placed(route)}; ${named(taker)} takes every name of it`);
  }
}

/** The wildcard that holds every name of an expression: wildcards come first. */
function wildcardOver(source: string, router: Router): Route | undefined {
  const { head, tail } = regexEnds(source);
  const [first, last] = [head.lastIndexOf("."), tail.indexOf(".")];
  const below = last < 0 ? undefined : router.match(`${NOBODY}${tail.slice(last)}`);
  if (below?.kind === "suffix") return below;
  const behind = first < 0 ? undefined : router.match(`${head.slice(0, first + 1)}${NOBODY}`);
  return behind?.kind === "prefix" ? behind : undefined;
}

/** Whether the route below it, once it were gone, would say the same. */
function* examineName(route: Route & { readonly kind: "exact" | "suffix" }, router: Router): Generator<Finding> {
  for (let dot = route.name.indexOf("."); dot >= 0; dot = route.name.indexOf(".", dot + 1)) {
    const wildcard = router.match(`${NOBODY}${route.name.slice(dot)}`);
    if (wildcard.kind === "default") continue;
    if (wildcard.kind === "suffix" && contentOf(wildcard) === contentOf(route)) {
      yield finding("route_redundant", named(route), `${placed(route)}; ${named(wildcard)} says the same`);
    }
    return;
  }
}

function contentOf({ to, allowPrivate, via, bind, access, rate, onChange }: Route): string {
  return JSON.stringify([to, allowPrivate, via, bind, access, rate, onChange]);
}

/** The one name that an expression without any freedom matches. */
function onlyName(source: string): string | undefined {
  const found = /^\^((?:[A-Za-z0-9_-]|\\\.)+)\$$/.exec(source);
  return found?.[1]?.replaceAll("\\.", ".").toLowerCase();
}

function named({ text }: Route): string {
  return escapeInvisible(text);
}

function placed({ line, file }: Route): string {
  return line === 0 ? "in the routes" : `on line ${line}${file === undefined ? "" : ` of ${escapeInvisible(file)}`}`;
}

function* examineUpstreams(config: Config): Generator<Finding> {
  const used = new Set<string>();
  for (const { routes, kinds } of config.listeners) {
    for (const name of routes.upstreams.keys()) used.add(name);
    for (const to of [routes.default, kinds?.ssh, kinds?.other, kinds?.silent]) {
      if (to?.kind === "upstream") used.add(to.name);
    }
  }
  for (const { name, servers } of config.upstreams.values()) {
    if (!used.has(name))
      yield finding(
        "upstream_unused",
        `upstream ${name}`,
        `${servers.length} ${servers.length === 1 ? "server" : "servers"}`,
      );
  }
}
