/**
 * How commands put a configuration in words.
 */

import { formatEndpoint } from "../address.ts";
import type { BalanceConfig, Config, Destination, Route, RouteTable, ServerConfig, Target } from "../config/config.ts";

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Every table of routes once. */
export function routeTables(config: Config): RouteTable[] {
  return [...new Set(config.listeners.map((listener) => listener.routes))];
}

/** Routes of all tables, `default` not counted. */
export function countRoutes(config: Config): number {
  return routeTables(config).reduce((sum, table) => sum + table.size, 0);
}

/** A server's address; without a port where the listener's is meant. */
export function targetText(target: Target): string {
  switch (target.kind) {
    case "host":
      // A service has no port of its own.
      return target.port === 0 ? target.name : `${target.name}:${target.port}`;
    case "unix":
      return `unix:${target.path}`;
    case "ip":
      return target.port === undefined ? target.ip : formatEndpoint({ kind: "tcp", ip: target.ip, port: target.port });
  }
}

/** A destination as a configuration writes it. */
export function destinationText(destination: Destination): string {
  switch (destination.kind) {
    case "reject":
      return "reject";
    case "direct":
      return destination.port === undefined ? "direct" : `direct:${destination.port}`;
    case "upstream":
      return destination.name;
    default:
      return targetText(destination);
  }
}

/** An upstream's server: its address, its weight, and what else is special about it. */
export function serverText({ target, weight, backup, down, maxConnections }: ServerConfig): string {
  const limit = maxConnections === 0 ? "" : ` maxConnections ${maxConnections}`;
  return `${targetText(target)} weight ${weight}${limit}${backup ? " backup" : ""}${down ? " down" : ""}`;
}

/** A method as a configuration writes it. */
export function balanceText(balance: BalanceConfig): string {
  switch (balance.kind) {
    case "hash":
      return `hash ${balance.key}${balance.consistent ? " consistent" : ""}`;
    case "random_two":
      return "random two least_conn";
    default:
      return balance.kind;
  }
}

/** How a route holds a name. */
export const MATCH_WORDS: Readonly<Record<Route["kind"], string>> = {
  exact: "exact name",
  suffix: "leading wildcard",
  prefix: "trailing wildcard",
  regex: "regular expression",
  default: "no other route holds the name",
};
