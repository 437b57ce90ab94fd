/**
 * JSON Schema, as far as the descriptions of answers and bodies use it.
 *
 * Owns: the check of a value against a schema. Bodies of requests are read by it, and tests hold every answer against it.
 */

/** The part of JSON Schema 2020-12 that is used here. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: "object" | "array" | "string" | "number" | "integer" | "boolean";
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
}

export type Schemas = Readonly<Record<string, JsonSchema>>;

const REFERENCE = "#/components/schemas/";

export function reference(name: string): JsonSchema {
  return { $ref: `${REFERENCE}${name}` };
}

/** What is wrong with `value`, with its place; undefined: nothing. @param schemas what references name. */
export function schemaFault(value: unknown, schema: JsonSchema, schemas: Schemas, at = "it"): string | undefined {
  if (schema.$ref !== undefined) {
    return schemaFault(value, schemas[schema.$ref.slice(REFERENCE.length)] as JsonSchema, schemas, at);
  }
  if (schema.type !== undefined && !isOfType(value, schema.type)) return `${at} must be of the type ${schema.type}`;
  if (schema.enum !== undefined && !schema.enum.includes(value as string)) {
    return `${at} must be one of ${schema.enum.join(", ")}`;
  }
  if (schema.minimum !== undefined && (value as number) < schema.minimum)
    return `${at} must be at least ${schema.minimum}`;
  if (Array.isArray(value)) return arrayFault(value, schema, schemas, at);
  return schema.type === "object" ? objectFault(value as Record<string, unknown>, schema, schemas, at) : undefined;
}

function isOfType(value: unknown, type: JsonSchema["type"]): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return type === "integer" ? Number.isSafeInteger(value) : typeof value === type;
}

function arrayFault(
  value: readonly unknown[],
  { items }: JsonSchema,
  schemas: Schemas,
  at: string,
): string | undefined {
  if (items === undefined) return undefined;
  for (const [index, item] of value.entries()) {
    const fault = schemaFault(item, items, schemas, `${at}[${index}]`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function objectFault(
  value: Readonly<Record<string, unknown>>,
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  schemas: Schemas,
  at: string,
): string | undefined {
  const missing = required.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return `${at} must have ${missing}`;
  for (const [key, member] of Object.entries(value)) {
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (schema === undefined) {
      if (additionalProperties === false) {
        const known = Object.keys(properties);
        return `${at} must have no ${known.length === 0 ? "keys" : `other keys than ${known.join(", ")}`}`;
      }
      continue;
    }
    const fault = schemaFault(member, schema, schemas, at === "it" ? key : `${at}.${key}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
