/**
 * A request that is not carried out, and why.
 *
 * Owns: the statuses and fixed words of errors. A message says what cannot be done and what to do; nothing of a request
 * stands in it but in quotes and escaped.
 */

import { quote } from "../config/quote.ts";
import type { ErrorAnswer } from "./api.ts";

/** Thrown by operations, caught by the handler. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  /** Fields that go with it. */
  readonly headers: readonly (readonly [name: string, value: string])[];

  constructor(status: number, code: string, message: string, headers: Refused["headers"] = []) {
    super(message);
    this.name = "Refused";
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  get answer(): ErrorAnswer {
    return { code: this.code, message: this.message };
  }
}

/** A parameter or a body that is not what it must be. */
export function badRequest(what: string, reason: string): Refused {
  return new Refused(400, "bad_request", `Cannot use ${what}: ${reason}`);
}

export function notHere(what: string): Refused {
  return new Refused(501, "not_here", `Cannot ${what}: this proxy has no means to`);
}

/** User text, shortened, as it may stand in a message. */
export function shown(text: string): string {
  return quote(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
