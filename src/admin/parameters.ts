/**
 * Parameters of a query.
 *
 * Owns: their reading: unknown ones, doubled ones and values out of bounds are errors, so that a misspelt filter does not
 * pass for one that matches everything.
 */

import { badRequest, shown } from "./refusal.ts";

export interface Parameter {
  readonly name: string;
  readonly description: string;
  /** A whole number with bounds; absent: text. */
  readonly number?: { readonly minimum: number; readonly maximum: number; readonly fallback?: number };
  readonly isRequired?: boolean;
}

/** Longest value, in characters. */
const MAX_LENGTH = 1_024;

export class Parameters {
  readonly #values = new Map<string, string>();
  readonly #known: readonly Parameter[];

  /** @param query without its `?`. @throws {Refused} */
  constructor(query: string, known: readonly Parameter[]) {
    this.#known = known;
    for (const pair of query.split("&")) if (pair !== "") this.#add(pair);
    for (const { name, isRequired } of known) {
      if (isRequired === true && !this.#values.has(name))
        throw badRequest(`the request`, `the parameter ${name} is missing`);
    }
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** A number's value, or its fallback. @throws {Refused} */
  number(name: string): number {
    const bounds = this.#known.find((one) => one.name === name)?.number;
    const value = this.#values.get(name);
    if (value === undefined) return bounds?.fallback ?? 0;
    const read = /^[0-9]{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (bounds !== undefined && read >= bounds.minimum && read <= bounds.maximum) return read;
    const range = `it must be a whole number from ${bounds?.minimum} to ${bounds?.maximum}`;
    throw badRequest(`the parameter ${name}`, range);
  }

  #add(pair: string): void {
    const split = pair.indexOf("=");
    const name = decoded(split < 0 ? pair : pair.slice(0, split));
    const value = decoded(split < 0 ? "" : pair.slice(split + 1));
    if (!this.#known.some((one) => one.name === name)) {
      const names = this.#known.map((one) => one.name).join(", ");
      throw badRequest(`the parameter ${shown(name)}`, names === "" ? "this path takes none" : `there are ${names}`);
    }
    if (this.#values.has(name)) throw badRequest(`the parameter ${name}`, "it is there twice");
    if (value.length > MAX_LENGTH)
      throw badRequest(`the parameter ${name}`, `it is longer than ${MAX_LENGTH} characters`);
    this.#values.set(name, value);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw badRequest("the query", "its percent-encoding is broken");
  }
}
