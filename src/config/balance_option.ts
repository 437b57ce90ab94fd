/**
 * `balance:` as a person writes it: `round_robin`, `least_conn`, `random [two [least_conn]]`, `hash KEY [consistent]`.
 *
 * Owns: that grammar, nginx's, and which variables a KEY may have.
 */

import { unknownVariable, VARIABLE_REFERENCE, VARIABLES } from "../variables.ts";
import type { BalanceConfig } from "./config.ts";
import type { Refusal } from "./destination.ts";
import { quote, suggestion } from "./quote.ts";

const METHODS = ["round_robin", "least_conn", "random", "random two least_conn", "hash"];

/** Parses a method. */
export function parseBalance(value: string): BalanceConfig | Refusal {
  const words = value.trim().split(/\s+/);
  const [method = "", ...parameters] = words;
  switch (method) {
    case "round_robin":
    case "least_conn":
      return parameters.length === 0 ? { kind: method } : { error: `${method} takes no parameter` };
    case "random":
      return parseRandom(parameters);
    case "hash":
      return parseHash(parameters);
    default:
      return { error: `there is no such method${suggestion(value, METHODS) || `; there are ${METHODS.join(", ")}`}` };
  }
}

function parseRandom([two, method, ...more]: readonly string[]): BalanceConfig | Refusal {
  if (two === undefined) return { kind: "random" };
  const fits = two === "two" && (method ?? "least_conn") === "least_conn" && more.length === 0;
  return fits ? { kind: "random_two" } : { error: "write random, random two or random two least_conn" };
}

function parseHash(parameters: readonly string[]): BalanceConfig | Refusal {
  const [key, option, ...more] = parameters;
  if (key === undefined) return { error: "hash needs a key, such as $remote_addr" };
  if (option !== undefined && (option !== "consistent" || more.length > 0)) {
    const near = more.length > 0 ? "" : suggestion(option, ["consistent"]);
    return { error: `behind the key, which has no spaces, only consistent may stand${near}` };
  }
  const refusal = refuseKey(key);
  return refusal ?? { kind: "hash", key, consistent: option !== undefined };
}

function refuseKey(key: string): Refusal | undefined {
  if (/\p{Cc}/u.test(key)) return { error: "a key has no control characters" };
  const unknown = unknownVariable(key);
  if (unknown !== undefined) {
    return { error: `there is no variable $${unknown}${suggestion(unknown, Object.keys(VARIABLES))}` };
  }
  const names = [...key.matchAll(VARIABLE_REFERENCE)].map((found) => (found[1] ?? found[2]) as string);
  const late = names.find((name) => VARIABLES[name]?.late === true);
  if (late !== undefined) return { error: `$${late} is not known before a server is chosen` };
  if (names.length > 0) return undefined;
  return { error: `the key ${quote(key)} has no $variable, so that all connections would take one server` };
}
