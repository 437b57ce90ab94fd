/**
 * One thing that can be asked of the admin interface. Types, and the parameters that many have.
 */

import type { OperatedProxy } from "./operated_proxy.ts";
import type { Parameter, Parameters } from "./parameters.ts";

export interface Question {
  readonly parameters: Parameters;
  /** Checked against the operation's schema. */
  readonly body: unknown;
}

/** What is sent back. */
export interface Reply {
  readonly status: number;
  /** Text where there is a `type`, else sent as JSON. */
  readonly body: unknown;
  readonly type?: string;
}

export interface Operation {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** A name for programs. */
  readonly id: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  /** Name of its body's schema; POST only. */
  readonly body?: string;
  /** Names of the schemas of its answers by status; a content type for one that is no JSON. */
  readonly answers: Readonly<Record<number, string>>;
  /** @throws {Refused}, as the rejection too. */
  run(proxy: OperatedProxy, question: Question): Reply | Promise<Reply>;
}

export function json(body: unknown, status = 200): Reply {
  return { status, body };
}

export const textParameter = (name: string, description: string): Parameter => ({ name, description });

export const limitParameter = (most: number, usual: number): Parameter => ({
  name: "limit",
  description: `How many at most; ${usual} if absent.`,
  number: { minimum: 1, maximum: most, fallback: usual },
});

export const OFFSET: Parameter = {
  name: "offset",
  description: "How many to leave out.",
  number: { minimum: 0, maximum: 1e9 },
};
