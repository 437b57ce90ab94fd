/**
 * The kinds of options: text with a grammar, numbers, choices, lists, maps, durations, sizes.
 *
 * Owns: what each accepts and the words of its refusal, as zod schemas. It must not know any option.
 */

import * as z from "zod";
import type { Refusal } from "./destination.ts";
import { enumerate, suggestion } from "./quote.ts";
import {
  DURATION_PATTERN,
  formatDuration,
  formatSize,
  MAX_DURATION,
  parseDuration,
  parseSize,
  SIZE_PATTERN,
} from "./units.ts";

/** A string with a grammar of its own. `parse` gives the value or the reason why not. */
export function text<T>(expected: string, parse: (value: string) => T | Refusal, meta: z.GlobalMeta) {
  return z
    .string({ error: `it must be ${expected}` })
    .meta(meta)
    .transform((value, context): T => {
      const result = parse(value);
      if (typeof result !== "object" || result === null || !("error" in result)) return result;
      context.issues.push({ code: "custom", message: result.error, input: value });
      return z.NEVER;
    });
}

/** `true` or `false`. */
export const bool = () => z.boolean({ error: "it must be true or false" });

export function integer(min: number, max: number, expected: string) {
  const error = `it must be ${expected}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function choice<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, {
    error: ({ input }) =>
      `it must be ${enumerate(values, "or")}${typeof input === "string" ? suggestion(input, values) : ""}`,
  });
}

export function list<T extends z.ZodType>(item: T, expected: string) {
  return z.array(item, { error: `it must be a list of ${expected}` });
}

export function map<T extends z.ZodRawShape>(shape: T) {
  const error = `it must be a map with the keys ${enumerate(Object.keys(shape))}`;
  return z.strictObject(shape, { error: (issue) => (issue.code === "invalid_type" ? error : undefined) });
}

export function duration(minimum: number) {
  const expected = "a duration with its unit, such as 500ms, 10s, 5m, 1h or 1d";
  const parse = (value: string): number | Refusal => {
    const result = parseDuration(value);
    if (result === undefined) return { error: `it must be ${expected}` };
    if (result >= minimum && result <= MAX_DURATION) return result;
    return { error: `it must be from ${minimum === 0 ? "0s" : formatDuration(minimum)} to 24d` };
  };
  return text(expected, parse, { title: "duration", pattern: DURATION_PATTERN });
}

export function size(minimum: number, maximum: number) {
  const error = "it must be a size such as 64KiB, 10MB or 4096 (bytes)";
  const range = `it must be from ${formatSize(minimum)} to ${formatSize(maximum)}`;
  return z
    .union([z.string().meta({ pattern: SIZE_PATTERN }), z.int().min(0, { error: range })], { error })
    .meta({ title: "size" })
    .transform((value, context): number => {
      const bytes = typeof value === "number" ? value : parseSize(value);
      if (bytes !== undefined && bytes >= minimum && bytes <= maximum) return bytes;
      context.issues.push({ code: "custom", message: bytes === undefined ? error : range, input: value });
      return z.NEVER;
    });
}
