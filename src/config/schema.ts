/**
 * The options: the one source of their names, types, defaults, bounds and descriptions.
 *
 * Owns: the zod schema, and all that is made from it: validation with faults, the JSON Schema for editors. Only
 * it and the parts it is made of (`option_kinds.ts`, `*_options.ts`) know zod. It must not look at two options at once (`check.ts` does) nor at a route (`routes.ts`: a map of
 * a million routes is not for a general validator).
 */

import * as z from "zod";
import { type Endpoint, parseEndpoint } from "../address.ts";
import type { ToAscii } from "../hostname.ts";
import { unknownVariable, VARIABLES } from "../variables.ts";
import { accessOptions, readCidr } from "./access_options.ts";
import { buildAccount } from "./account_options.ts";
import { buildAdmin } from "./admin_options.ts";
import { parseChange } from "./change_option.ts";
import { BRACKETS, type Refusal } from "./destination.ts";
import { type Fault, formatPath, type Path, showValue } from "./fault.ts";
import { buildInclude } from "./include_options.ts";
import { buildKinds } from "./kind_options.ts";
import { buildLimits, buildRate } from "./limits_options.ts";
import { nginxHint } from "./nginx_names.ts";
import { bool, choice, duration, integer, list, map, text } from "./option_kinds.ts";
import { enumerate, quote, suggestion } from "./quote.ts";
import { buildResolver, buildSelfAddresses } from "./resolver_options.ts";
import { buildBind, buildTcp } from "./tcp_options.ts";
import { buildUpstream } from "./upstream_options.ts";
import { buildVia } from "./via_options.ts";

function readListenerAddress(value: string): Endpoint | Refusal {
  const endpoint = parseEndpoint(value, { allowPortZero: true });
  if (endpoint !== undefined) return endpoint;
  const port = /^(?:\*|localhost)?:?([0-9]{1,5})$/.exec(value)?.[1];
  if (port !== undefined) return { error: `write 0.0.0.0:${port} (IPv4) or [::]:${port} (IPv6 and IPv4)` };
  return { error: `it must be IP:port or unix:/path; ${BRACKETS}` };
}

const VARIABLE_FORMAT = "it must be text, json or a line with $variables";

function readLogFormat(value: string): string | Refusal {
  if (value === "text" || value === "json") return value;
  if (!value.includes("$")) return { error: `${VARIABLE_FORMAT}${suggestion(value, ["text", "json"])}` };
  if (/\p{Cc}/u.test(value)) return { error: "it must be one line, without control characters" };
  const unknown = unknownVariable(value);
  if (unknown === undefined) return value;
  return { error: `there is no variable $${unknown}${suggestion(unknown, Object.keys(VARIABLES))}` };
}

function readLogPath(value: string): string | Refusal {
  return value === "" || /\p{Cc}/u.test(value) ? { error: "it must be stdout, stderr or the path of a file" } : value;
}

const PORT_OR_BOOL = "true, false or a port from 1 to 65535";

const portOrBool = () => z.union([bool(), integer(1, 65535, PORT_OR_BOOL)], { error: `it must be ${PORT_OR_BOOL}` });

function buildListener<R extends z.ZodType>(routes: R) {
  return map({
    address: text("IP:port or unix:/path, such as 0.0.0.0:443", readListenerAddress, { title: "endpoint" }).meta({
      description: "Where to listen: `0.0.0.0:443`, `[::]:443` (IPv4 too) or `unix:/path`. Port 0 takes a free one.",
    }),
    protocol: choice(["tls", "http", "postgres", "any"]).default("tls").meta({
      description:
        "What clients speak: `tls` is routed by the ClientHello's server name, `http` by the Host header, `postgres` by the ClientHello behind PostgreSQL's request for TLS, `any` by whichever of them comes.",
    }),
    ...buildKinds(),
    proxyProtocol: bool().default(false).meta({
      description: "Require a PROXY protocol header (v1 or v2) in front; only peers in `trustedProxies` may connect.",
    }),
    trustedProxies: list(text("a network such as 10.0.0.0/8", readCidr, { title: "network" }), "networks")
      .prefault([])
      .meta({ description: "Networks whose PROXY header is believed; needed with `proxyProtocol`." }),
    redirectToHttps: portOrBool().default(false).meta({
      description:
        "Only with `http` and `any`: answer requests for routed names with a redirect to https, at this port (`true`: 443).",
    }),
    ...accessOptions(),
    rate: buildRate().meta({ description: "For its routes that say nothing themselves." }),
    routes: routes.meta({ description: "Routes of this listener alone, instead of the global ones." }),
  });
}

function buildRoot<L extends z.ZodType, R extends z.ZodType, U extends z.ZodType>(
  listener: L,
  routes: R,
  upstream: U,
  toAscii: ToAscii,
) {
  return map({
    include: buildInclude(),
    listeners: list(listener, "listeners, such as '- address: 0.0.0.0:443'")
      .min(1, { error: "it must have at least one listener, such as '- address: 0.0.0.0:443'" })
      .meta({ description: "Where clients come in." }),
    routes: routes.meta({
      description:
        "Server name to destination. Names: `a.com`, `*.a.com` (below it), `.a.com` (both), `mail.*`, `~regex`, `default`.",
    }),
    upstreams: z
      .record(z.string(), upstream, { error: "it must be a map from names to upstreams" })
      .prefault({})
      .meta({ description: "Groups of servers, by name." }),
    timeouts: map({
      preread: duration(1).prefault("10s").meta({ description: "From accept until the first message is whole." }),
      connect: duration(1).prefault("15s").meta({ description: "Until a server is connected, every try included." }),
      idle: duration(1).prefault("1h").meta({ description: "Without a byte either way." }),
      drain: duration(0).prefault("30s").meta({ description: "For open connections at shutdown." }),
    }).prefault({}),
    resolver: buildResolver().prefault({}),
    selfAddresses: buildSelfAddresses(),
    limits: buildLimits().prefault({}),
    log: map({
      access: z
        .union(
          [
            z.literal(false),
            map({
              path: text("stdout, stderr or the path of a file", readLogPath, { title: "path" })
                .prefault("stdout")
                .meta({ description: "`stdout`, `stderr` or the path of a file, opened anew on SIGUSR1." }),
              format: text("text, json or a line with $variables", readLogFormat, { title: "format" })
                .prefault("text")
                .meta({ description: "`text`, `json`, or a line with `$variables`." }),
            }),
          ],
          { error: "it must be false, or a map with path and format" },
        )
        .prefault({})
        .meta({ description: "One line per connection; `false` for none." }),
    }).prefault({}),
    tcp: buildTcp().prefault({}),
    admin: buildAdmin(toAscii).meta({ description: "The interface for whoever operates the proxy; none if absent." }),
    watch: bool()
      .default(false)
      .meta({ description: "Reload when the file has changed and stays as it is for a second." }),
    ...buildAccount(),
    adapter: choice(["auto", "linux", "node", "deno", "bun"]).default("auto").meta({
      description: "Whose sockets to use; `auto` is `linux` where it can run, else the runtime's own.",
    }),
    workers: z
      .union([integer(1, 256, "a whole number from 1 to 256, or auto"), z.literal("auto")], {
        error: "it must be a whole number from 1 to 256, or auto",
      })
      .default(1)
      .meta({
        description: "Threads that carry connections; `auto` is one for each processor.",
      }),
  });
}

/** The long form of a route. */
const routeMap = map({
  to: z.string({ error: "it must be a destination: an upstream, host:port, IP, unix:/path, direct or reject" }).meta({
    title: "destination",
    description: "`reject`, `direct`, `direct:PORT`, an upstream, `IP`, `IP:port`, `host:port` or `unix:/path`.",
  }),
  allowPrivate: bool().default(false).meta({
    description: "Let `direct` reach loopback, private and other addresses that are not global.",
  }),
  ...accessOptions(),
  rate: buildRate().meta({ description: "Bandwidth of each connection." }),
  onChange: text("keep, drain with a duration (drain 30s) or cut", parseChange, { title: "keep, drain TIME or cut" })
    .prefault("keep")
    .meta({
      description: "What becomes of its connections when a reload takes the route or their server away.",
    }),
  via: buildVia((name) => name)
    .optional()
    .meta({ description: "Reach the destination through this proxy, in place of the upstream's." }),
  bind: buildBind().optional().meta({ description: "Local address to connect from, in place of the upstream's." }),
});

const documentedRoutes = () =>
  z.record(z.string(), z.union([z.string().meta({ title: "destination" }), routeMap])).optional();

export type ParsedListener = z.output<ReturnType<typeof buildListener<z.ZodOptional<z.ZodUnknown>>>>;
export type ParsedUpstream = z.output<ReturnType<typeof buildUpstream>>;

function buildChecked(toAscii: ToAscii) {
  const unchecked = z.unknown().optional();
  const listener = buildListener(unchecked);
  const upstream = buildUpstream(toAscii);
  return { listener, upstream, root: buildRoot(listener, unchecked, upstream, toAscii) };
}

export type ParsedConfig = z.output<ReturnType<typeof buildChecked>["root"]>;
export type ParsedRoute = z.output<typeof routeMap>;

export type Reading<T> = { readonly value: T } | { readonly faults: readonly Fault[] };

/** Validators of the whole and of the parts that still make sense when another part is wrong. */
export interface Schema {
  readConfig(value: unknown): Reading<ParsedConfig>;
  readListener(value: unknown): ParsedListener | undefined;
  readUpstream(value: unknown): ParsedUpstream | undefined;
}

export function createSchema(toAscii: ToAscii): Schema {
  const { root, listener, upstream } = buildChecked(toAscii);
  return {
    readConfig: (value) => read(root, value, []),
    readListener: (value) => listener.safeParse(value).data,
    readUpstream: (value) => upstream.safeParse(value).data,
  };
}

/** Validates the long form of a route, which stands at `path`. */
export function readRouteMap(value: unknown, path: Path): Reading<ParsedRoute> {
  return read(routeMap, value, path);
}

function read<T extends z.ZodType>(schema: T, value: unknown, path: Path): Reading<z.output<T>> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { value: result.data };
  return { faults: result.error.issues.flatMap((issue) => toFaults(issue, path, schema)) };
}

type Issue = z.core.$ZodIssue;

/** One of zod's issues as faults; `schema` is what stands at `base`. */
function toFaults(issue: Issue, base: Path, schema: z.ZodType): Fault[] {
  const local = issue.path as Path;
  const at = [...base, ...local];
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, local);
    return issue.keys.map((key) => unknownKey(at, key, known));
  }
  if (issue.code === "invalid_union") {
    // What is wrong with a string, or with a map, is told by the branch that wanted one.
    const branch = issue.errors.find((issues) => !issues.some(isWrongType));
    if (branch) return branch.flatMap((inner) => toFaults({ ...inner, path: [...local, ...inner.path] }, base, schema));
  }
  return [valueFault(issue, at)];
}

function isWrongType(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value");
}

function valueFault(issue: Issue, at: Path): Fault {
  const key = at.at(-1);
  if (issue.input === undefined && typeof key === "string") {
    const parent = formatPath(at.slice(0, -1)) || "the configuration";
    const message = `Cannot use ${parent}: the key ${quote(key)} is missing; ${issue.message}`;
    return { code: "missing_key", at, on: "parent", message };
  }
  const code = issue.code === "invalid_type" || issue.code === "invalid_union" ? "wrong_type" : "bad_value";
  const empty = issue.input === null ? "it is empty; " : "";
  const thing = formatPath(at) || "the configuration";
  // Who writes a token where its place belongs must not find it in a log.
  const shown = thing === "admin.token" ? "" : showValue(issue.input);
  return { code, at, on: "value", message: `Cannot use ${thing}${shown}: ${empty}${issue.message}` };
}

function unknownKey(parent: Path, key: string, known: readonly string[]): Fault {
  const where = parent.length === 0 ? "" : ` in ${formatPath(parent)}`;
  const hint = nginxHint(key) || suggestion(key, known) || `; the keys are ${enumerate(known)}`;
  const message = `Cannot use the key ${quote(key)}${where}: there is no such option${hint}`;
  return { code: "unknown_key", at: [...parent, key], on: "key", message };
}

/** The keys of the map that `schema` has at `path`. */
function knownKeys(schema: z.core.$ZodType, path: Path): readonly string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return knownKeys(schema.unwrap(), path);
  }
  if (schema instanceof z.ZodPipe) return knownKeys(schema.in, path);
  if (schema instanceof z.ZodUnion) {
    const keys = schema.options.map((option) => knownKeys(option, path));
    return keys.find((found) => found.length > 0) ?? [];
  }
  const [step, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    if (step === undefined) return Object.keys(schema.shape);
    return knownKeys(schema.shape[step as string] as z.core.$ZodType, rest);
  }
  if (schema instanceof z.ZodArray) return knownKeys(schema.element, rest);
  return schema instanceof z.ZodRecord ? knownKeys(schema.valueType, rest) : [];
}

function buildDocumented() {
  return buildRoot(
    buildListener(documentedRoutes()),
    documentedRoutes(),
    buildUpstream((name) => name),
    (name) => name,
  );
}

/** What may be written, as a type: the library's options are those of the file. */
export type ConfigInput = z.input<ReturnType<typeof buildDocumented>>;

/** The JSON Schema (draft 7, which editors know) of what may be written. */
export function jsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(buildDocumented(), { io: "input", target: "draft-07" });
  return { ...schema, title: "certless configuration" };
}
