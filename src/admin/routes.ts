/**
 * `GET routes` and `GET route`: the routes in force, and what they do with a name.
 *
 * Owns: that a million of them are gone through in small steps, with other work in between.
 */

import { canonicalIp, formatEndpoint } from "../address.ts";
import { destinationText } from "../cli/summary.ts";
import type { Route, RouteTable } from "../config/config.ts";
import { normalizeConfigName } from "../hostname.ts";
import { RouteWalk } from "../route_table/route_walk.ts";
import type { ExplainAnswer, RouteAnswer, RoutesAnswer } from "./api.ts";
import { explainName } from "./explanation.ts";
import type { OperatedProxy } from "./operated_proxy.ts";
import type { Parameters } from "./parameters.ts";
import { badRequest, shown } from "./refusal.ts";

/** Routes that are gone through in one go: those that are read, and those that are only passed by. */
const READ_AT_ONCE = 2_000;
const PASSED_AT_ONCE = 100_000;

/** A table, and who routes by it: the listener whose own it is, or several. */
interface Table {
  readonly table: RouteTable;
  readonly listener: string | undefined;
  /** Addresses. */
  readonly listeners: readonly string[];
}

export async function routesAnswer(proxy: OperatedProxy, parameters: Parameters): Promise<RoutesAnswer> {
  const query = parameters.text("query") ?? "";
  const search = new Search(query, parameters.number("offset"), parameters.number("limit"));
  for (const table of tablesOf(proxy)) await search.through(table, proxy);
  return { total: search.total, routes: search.found.map(([route, table]) => routeAnswer(route, table, proxy)) };
}

type Told = Pick<Route, "text" | "to" | "line">;

/** Those from `offset` on that match, counted beyond. */
class Search {
  readonly found: (readonly [Told, Table])[] = [];
  total = 0;
  readonly #query: string;
  readonly #offset: number;
  readonly #limit: number;

  constructor(query: string, offset: number, limit: number) {
    this.#query = query;
    this.#offset = offset;
    this.#limit = limit;
  }

  async through(table: Table, proxy: Pick<OperatedProxy, "breathe">): Promise<void> {
    const walk = new RouteWalk(table.table);
    for (let steps = 0; !walk.isOver; ) {
      const passes = this.#query === "" && !this.#isWanted;
      if (passes) this.total += walk.pass(Math.min(PASSED_AT_ONCE, this.#passable()));
      else this.#look(walk.read(), table);
      steps += passes ? READ_AT_ONCE : 1;
      if (steps < READ_AT_ONCE) continue;
      steps = 0;
      await proxy.breathe();
    }
    this.#look({ text: "default", to: table.table.default, line: 0 }, table);
  }

  get #isWanted(): boolean {
    return this.total >= this.#offset && this.found.length < this.#limit;
  }

  /** How many follow that nobody wants to see. */
  #passable(): number {
    return this.total < this.#offset ? this.#offset - this.total : PASSED_AT_ONCE;
  }

  #look(route: Told, table: Table): void {
    const { text, to } = route;
    if (this.#query !== "" && !text.includes(this.#query) && !destinationText(to).includes(this.#query)) return;
    if (this.#isWanted) this.found.push([route, table]);
    this.total++;
  }
}

function tablesOf({ config, endpoints }: OperatedProxy): Table[] {
  const tables = new Map<RouteTable, string[]>();
  for (const [index, { routes }] of config.listeners.entries()) {
    const endpoint = endpoints[index];
    const listeners = tables.get(routes) ?? [];
    if (endpoint !== undefined) listeners.push(formatEndpoint(endpoint));
    tables.set(routes, listeners);
  }
  return [...tables].map(([table, listeners]) => ({
    table,
    listeners,
    listener: table === config.routes ? undefined : listeners[0],
  }));
}

function routeAnswer(
  { text, to, line }: Told,
  { listener, listeners }: Table,
  { numbers }: OperatedProxy,
): RouteAnswer {
  const traffic = numbers?.route(text, listeners) ?? { connections: 0, rejected: 0, received: 0, sent: 0 };
  return { route: text, listener, to: destinationText(to), line, ...traffic };
}

export function explainAnswer(proxy: OperatedProxy, parameters: Parameters): ExplainAnswer {
  const given = parameters.text("name") ?? "";
  const name = normalizeConfigName(given, (text) => proxy.toAscii(text));
  if (name === undefined) throw badRequest("the parameter name", `${shown(given)} is not a host name`);
  const client = clientOf(parameters);
  const port = parameters.text("port") === undefined ? undefined : parameters.number("port");
  const question = { config: proxy.config, path: proxy.configuration.path ?? "configuration", name, client };
  const listeners = proxy.config.listeners.flatMap((listener, index) => {
    const endpoint = proxy.endpoints[index] ?? listener.endpoint;
    if (port !== undefined && (endpoint.kind === "unix" || endpoint.port !== port)) return [];
    const { found: _, ...explanation } = explainName(question, listener, endpoint);
    return [explanation];
  });
  if (listeners.length === 0) throw badRequest("the parameter port", `no listener is on port ${port}`);
  return { name, listeners };
}

function clientOf(parameters: Parameters): string | undefined {
  const given = parameters.text("client");
  const ip = given === undefined ? undefined : canonicalIp(given);
  if (given !== undefined && ip === undefined) {
    throw badRequest("the parameter client", `${shown(given)} is not an IP address`);
  }
  return ip;
}
