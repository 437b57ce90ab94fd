/**
 * The description of the admin interface: OpenAPI 3.1, made from the operations and the schemas.
 *
 * Owns: the document's shape.
 */

import { OWN_FIELD } from "./guard.ts";
import type { Operation } from "./operation.ts";
import type { Parameter } from "./parameters.ts";
import { type JsonSchema, reference } from "./schema_check.ts";
import { SCHEMAS } from "./schemas.ts";

export function describe(operations: readonly Operation[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? {};
    path[operation.method.toLowerCase()] = describeOne(operation);
    paths[operation.path] = path;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "certless",
      version,
      description: "The interface for whoever operates certless. Texts from the wire are raw: escape them.",
    },
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: { token: { type: "http", scheme: "bearer", description: "Where admin.token is configured." } },
    },
    security: [{}, { token: [] }],
  };
}

function describeOne({ id, summary, parameters = [], method, body, answers }: Operation): Record<string, unknown> {
  const fields = method === "POST" ? [OWN_FIELD_PARAMETER] : [];
  return {
    operationId: id,
    summary,
    parameters: [...parameters.map(describeParameter), ...fields],
    ...(body !== undefined && { requestBody: { required: body !== "Nothing", content: contentOf(body) } }),
    responses: Object.fromEntries([
      ...Object.entries(answers).map(([status, answer]) => [
        status,
        { description: answer, content: contentOf(answer) },
      ]),
      ["default", { description: "It was refused.", content: contentOf("ErrorAnswer") }],
    ]),
  };
}

const OWN_FIELD_PARAMETER = {
  name: OWN_FIELD,
  in: "header",
  required: true,
  description: "Any value; no web page can send it from another site.",
  schema: { type: "string" },
};

function describeParameter({ name, description, number, isRequired = false }: Parameter): Record<string, unknown> {
  const schema =
    number === undefined
      ? { type: "string" }
      : {
          type: "integer",
          minimum: number.minimum,
          maximum: number.maximum,
          ...(number.fallback !== undefined && { default: number.fallback }),
        };
  return { name, in: "query", required: isRequired, description, schema };
}

/** Of a schema's name, or a content type. */
function contentOf(answer: string): Record<string, { readonly schema: JsonSchema }> {
  return answer.includes("/")
    ? { [answer]: { schema: { type: "string" } } }
    : { "application/json": { schema: reference(answer) } };
}
