/**
 * The README's table of options.
 *
 * Owns: its rows, made from the JSON Schema, so that they cannot tell anything else than what is checked.
 */

import { jsonSchema } from "./schema.ts";

/** One option; the texts are Markdown. */
export interface OptionRow {
  /** `listeners[].address`, `upstreams.NAME.servers[].weight`. */
  readonly path: string;
  readonly type: string;
  /** JSON of the default; absent where the option is required or stands for nothing when left out. */
  readonly default: string | undefined;
  readonly required: boolean;
  readonly description: string;
}

/** The part of JSON Schema that ours is made of. */
interface Node {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly required?: readonly string[];
}

function code(value: unknown): string {
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

/** What a value may be, in a few words. */
function typeOf(node: Node): string {
  if (node.title !== undefined) return node.title;
  if (node.const !== undefined) return code(node.const);
  if (node.enum) return node.enum.map(code).join(", ");
  if (node.anyOf) return node.anyOf.map(typeOf).join(" or ");
  if (node.items) return `list of ${typeOf(node.items)}`;
  if (node.type === "integer") return node.minimum === undefined ? "number" : `${node.minimum} to ${node.maximum}`;
  if (node.type === "boolean") return "true or false";
  return node.type === "object" ? "map" : (node.type ?? "text");
}

/** The maps in which a value's own options stand, each with what to write in front of them. */
function* inner(node: Node, path: string): Generator<readonly [Node, string]> {
  if (node.properties) yield [node, path === "" ? "" : `${path}.`];
  for (const option of node.anyOf ?? []) yield* inner(option, path);
  if (node.items) yield* inner(node.items, `${path}[]`);
  if (typeof node.additionalProperties === "object") yield* inner(node.additionalProperties, `${path}.NAME`);
}

function* rowsOf(node: Node, path: string): Generator<OptionRow> {
  for (const [map, prefix] of inner(node, path)) {
    for (const [key, child] of Object.entries(map.properties ?? {})) {
      const at = `${prefix}${key}`;
      if (child.description !== undefined) yield toRow(at, child, map.required?.includes(key) ?? false);
      // A listener's own routes are written like the global ones, and a route's proxy like an upstream's.
      if (at !== "listeners[].routes" && at !== "routes.NAME.via") yield* rowsOf(child, at);
    }
  }
}

function toRow(path: string, node: Node, required: boolean): OptionRow {
  const isMap = typeof node.default === "object" && !Array.isArray(node.default);
  const text = node.default === undefined || isMap ? undefined : code(node.default);
  return { path, type: typeOf(node), default: text, required, description: node.description ?? "" };
}

/** Every option, in the order of the schema. */
export function optionRows(): OptionRow[] {
  return [...rowsOf(jsonSchema() as Node, "")];
}

const NOTES =
  "A duration is a whole number with its unit: `500ms`, `10s`, `5m`, `1h`, `1d`. A size is bytes (`4096`) or has a unit: " +
  "`KiB`, `MiB`, `GiB` (1024), `KB`, `MB`, `GB` (1000).";

/** The options as a Markdown table, and how durations and sizes are written. */
export function optionTable(): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|");
  const lines = optionRows().map((row) => {
    const fallback = row.required ? "required" : (row.default ?? "");
    return `| \`${row.path}\` | ${cell(row.type)} | ${cell(fallback)} | ${cell(row.description)} |`;
  });
  return ["| option | type | default | what it does |", "| --- | --- | --- | --- |", ...lines, "", NOTES, ""].join(
    "\n",
  );
}
