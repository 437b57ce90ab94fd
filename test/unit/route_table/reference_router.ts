/** The precedence of routes in its plainest form: maps of patterns, and every end of a name cut out of it. */

import { patternRegex } from "../../../src/hostname.ts";
import { patternOf } from "./table_fixture.ts";

export class ReferenceRouter {
  readonly #maps = {
    exact: new Map<string, string>(),
    dot: new Map<string, string>(),
    star: new Map<string, string>(),
  };
  readonly #prefix = new Map<string, string>();
  readonly #regexes: (readonly [RegExp, string])[] = [];

  constructor(patterns: readonly string[]) {
    for (const text of patterns) {
      const pattern = patternOf(text);
      if (pattern.kind === "exact") this.#maps.exact.set(pattern.name, text);
      else if (pattern.kind === "prefix") this.#prefix.set(pattern.name, text);
      else if (pattern.kind === "regex") this.#regexes.push([patternRegex(pattern.source), text]);
      else this.#maps[pattern.apex ? "dot" : "star"].set(pattern.name, text);
    }
  }

  match(name: string): string {
    const labels = name.split(".");
    const ends = labels.slice(1).map((_, index) => labels.slice(index + 1).join("."));
    const beginnings = labels.map((_, index) => labels.slice(0, labels.length - 1 - index).join("."));
    const { exact, dot, star } = this.#maps;
    return (
      exact.get(name) ??
      dot.get(name) ??
      first(ends, (end) => star.get(end) ?? dot.get(end)) ??
      first(beginnings, (beginning) => this.#prefix.get(beginning)) ??
      first(this.#regexes, ([regex, text]) => (regex.test(name) ? text : undefined)) ??
      "default"
    );
  }
}

function first<T>(items: readonly T[], find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
