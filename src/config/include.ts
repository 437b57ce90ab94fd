/**
 * A configuration of several files: what `include` names is put together with the file that names it.
 *
 * Owns: which options an included file may have, that none says twice what another one says, and that every fault is
 * told with the file it stands in. It must not read files.
 */

import { type ConfigError, formatPath, type Path, type Place, type Positions } from "./fault.ts";
import { enumerate, escapeInvisible, quote, suggestion } from "./quote.ts";
import type { TakenPairs } from "./simple_lines.ts";
import type { YamlSource } from "./yaml_source.ts";

/** An included file, read as YAML. */
export interface IncludedSource {
  readonly path: string;
  readonly source: YamlSource;
}

/** Lists are put one behind the other, maps together. */
const LISTS = ["listeners"] as const;
const MAPS = ["routes", "upstreams"] as const;
const ALLOWED: readonly string[] = [...LISTS, ...MAPS];

/** The patterns that `value`, a file's content, includes; what is wrong with them the schema tells. */
export function includesOf(value: unknown): string[] {
  const { include } = isMap(value) ? value : {};
  const patterns = typeof include === "string" ? [include] : Array.isArray(include) ? include : [];
  return patterns.filter((pattern) => typeof pattern === "string");
}

/** Matches the names that the last part of a pattern means: `*` is any text, `?` any character; none begins with a dot. */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, ".*")
    .replace(/\?/g, ".");
  const regex = new RegExp(`^${source}$`, "s");
  return (name) => (pattern.startsWith(".") || !name.startsWith(".")) && regex.test(name);
}

/** Puts `main` and what it includes together. */
export function mergeSources(main: YamlSource, included: readonly IncludedSource[]): YamlSource {
  return included.length === 0 || !isMap(main.value) ? main : new Merger(main, main.value).merge(included);
}

class Merger implements Positions {
  readonly #main: YamlSource;
  readonly #value: Record<string, unknown>;
  readonly #errors: ConfigError[];
  readonly #included: IncludedSource[] = [];
  /** Whose each entry of a list or a map is, by the option and the entry; what is not here is the main file's. */
  readonly #owners = new Map<string, Map<string | number, Owner>>();

  constructor(main: YamlSource, value: Record<string, unknown>) {
    this.#main = main;
    this.#value = Object.assign(Object.create(null), value);
    this.#errors = [...main.errors];
  }

  merge(included: readonly IncludedSource[]): YamlSource {
    for (const one of included) {
      this.#add(one);
      this.#included.push(one);
    }
    return { value: this.#value, positions: this, errors: this.#errors };
  }

  #add({ path, source }: IncludedSource): void {
    this.#errors.push(...source.errors);
    if (source.value === undefined || source.value === null) return;
    const report: Report = (code, at, on, message) => {
      const place = on === "key" ? source.positions.keyOf(at) : source.positions.valueOf(at);
      this.#errors.push({ code, path, at: formatPath(at), line: place.line, column: place.column, message });
    };
    if (!isMap(source.value)) {
      report("wrong_type", [], "value", `Cannot include this: it must be a map with the keys ${enumerate(ALLOWED)}`);
      return;
    }
    for (const [key, value] of Object.entries(source.value)) {
      if (isOneOf(LISTS, key)) this.#append(key, value, { path, positions: source.positions }, report);
      else if (isOneOf(MAPS, key)) this.#join(key, value, { path, positions: source.positions }, report);
      else {
        const hint = suggestion(key, ALLOWED) || `; the keys are ${enumerate(ALLOWED)}`;
        report("unknown_key", [key], "key", `Cannot use the key ${quote(key)} in an included file${hint}`);
      }
    }
  }

  #append(key: string, value: unknown, { path, positions }: Source, report: Report): void {
    if (!Array.isArray(value)) {
      report("wrong_type", [key], "value", `Cannot use ${key}: it must be a list`);
      return;
    }
    const before = this.#value[key] ?? [];
    // What is wrong with the main file's own is told by the schema.
    if (!Array.isArray(before)) return;
    const owners = this.#ownersOf(key);
    for (const index of value.keys()) owners.set(before.length + index, { path, positions, step: index });
    this.#value[key] = [...before, ...value];
  }

  #join(key: string, value: unknown, { path, positions }: Source, report: Report): void {
    if (!isMap(value)) {
      report("wrong_type", [key], "value", `Cannot use ${key}: it must be a map`);
      return;
    }
    const before = this.#value[key] ?? {};
    if (!isMap(before)) return;
    const owners = this.#ownersOf(key);
    const joined: Record<string, unknown> = Object.assign(Object.create(null), before);
    for (const [name, content] of Object.entries(value)) {
      if (name in joined) {
        const { line, path: where } = this.keyOf([key, name]);
        const earlier = where === undefined ? `on line ${line}` : `in ${escapeInvisible(where)}, line ${line}`;
        const message = `Cannot use the key ${quote(name)} in ${key} twice: it is already ${earlier}`;
        report("duplicate_key", [key, name], "key", message);
        continue;
      }
      joined[name] = content;
      owners.set(name, { path, positions, step: name });
    }
    this.#value[key] = joined;
  }

  #ownersOf(key: string): Map<string | number, Owner> {
    const owners = this.#owners.get(key) ?? new Map<string | number, Owner>();
    this.#owners.set(key, owners);
    return owners;
  }

  /** Those of a map that was joined come from every file. */
  takenFrom(map: object): readonly TakenPairs[] {
    const sources: readonly { readonly source: YamlSource; readonly path?: string }[] = [
      { source: this.#main },
      ...this.#included,
    ];
    return sources.flatMap(({ source: { value, positions }, path: file }) => {
      const joined = isMap(value) && map === this.#value.routes ? value.routes : undefined;
      const taken = positions.takenFrom?.(isMap(joined) ? joined : map) ?? [];
      return file === undefined ? taken : taken.map((pairs) => ({ ...pairs, file }));
    });
  }

  keyOf(path: Path): Place {
    return this.#find(path, "keyOf");
  }

  valueOf(path: Path): Place {
    return this.#find(path, "valueOf");
  }

  #find(path: Path, place: "keyOf" | "valueOf"): Place {
    const [key, entry, ...rest] = path;
    const owner = entry === undefined ? undefined : this.#owners.get(String(key))?.get(entry);
    if (owner === undefined) {
      // It may be among the lines of an included file that were not parsed.
      if (key === "routes" && entry !== undefined) for (const { source } of this.#included) source.lines?.miss();
      return this.#main.positions[place](path);
    }
    return { ...owner.positions[place]([key as string, owner.step, ...rest]), path: owner.path };
  }
}

interface Source {
  readonly path: string;
  readonly positions: Positions;
}

interface Owner extends Source {
  /** The entry's name, or its place in the list, in its own file. */
  readonly step: string | number;
}

type Report = (code: ConfigError["code"], at: Path, on: "key" | "value", message: string) => void;

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOneOf(names: readonly string[], key: string): boolean {
  return names.includes(key);
}
