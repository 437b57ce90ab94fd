/**
 * What `certless run` needs of Deno's permissions, by configuration: the one table.
 *
 * Owns: which option needs what, and why. A new option that opens something gets a row here. The line made of it is
 * tested to be enough, and to have nothing that could be left out.
 */

import { type Endpoint, formatEndpoint } from "../address.ts";
import type { Config, Destination, Target } from "../config/config.ts";
import { routesOf } from "../route_table/route_reader.ts";

export type PermissionKind = "net" | "read" | "write" | "env" | "sys" | "ffi";

export interface NeedContext {
  readonly config: Config;
  /** Of the configuration, and what it includes. */
  readonly files: readonly string[];
  /** What Deno runs: a file, or the folder of one that is not bundled. */
  readonly program: string;
  readonly adapter: "deno" | "linux";
  /** It runs under a service manager. */
  readonly unit: boolean;
}

interface Need {
  readonly kind: PermissionKind;
  readonly why: string;
  /** Values, `true` for all there are, or nothing. */
  values(context: NeedContext): readonly string[] | true;
}

const NEEDS: readonly Need[] = [
  { kind: "net", why: "listeners", values: ({ config }) => config.listeners.flatMap(listenerAddress) },
  { kind: "net", why: "servers", values: serverAddresses },
  { kind: "net", why: "names of servers", values: serverNames },
  { kind: "net", why: "health checks", values: checkedAddresses },
  { kind: "net", why: "the admin interface", values: adminAddress },
  { kind: "net", why: "resolver.servers", values: ({ config }) => config.resolver.servers },
  { kind: "read", why: "the configuration", values: ({ files }) => files },
  { kind: "read", why: "the descriptor limit", values: () => ["/proc/self/limits"] },
  // A reload reads the file in one, too.
  { kind: "read", why: "threads load the program", values: ({ program }) => [program] },
  { kind: "read", why: "passwords and token", values: ({ config }) => passwords(config, "file") },
  { kind: "read", why: "unix: listeners and servers", values: unixPaths },
  { kind: "read", why: "the admin interface's socket", values: adminPath },
  {
    kind: "read",
    why: "user and group",
    values: ({ config: { user, group } }) => [
      ...(user === undefined ? [] : ["/etc/passwd", "/proc/self/task"]),
      ...(group === undefined ? [] : ["/etc/group"]),
    ],
  },
  { kind: "read", why: "passed sockets", values: ({ unit }) => (unit ? ["/proc/self/fd", "/proc/self/net"] : []) },
  { kind: "write", why: "unix: listeners and servers", values: unixPaths },
  { kind: "write", why: "the admin interface's socket", values: adminPath },
  { kind: "write", why: "the access log", values: logFile },
  { kind: "env", why: "the YAML parser", values: () => ["LOG_STREAM", "LOG_TOKENS"] },
  { kind: "env", why: "passwords and token", values: ({ config }) => passwords(config, "env") },
  {
    kind: "env",
    why: "the service manager",
    values: ({ unit }) =>
      unit ? ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"] : [],
  },
  { kind: "sys", why: "own addresses", values: () => ["networkInterfaces"] },
  { kind: "sys", why: "user", values: ({ config }) => (config.user === undefined ? [] : ["setgid", "setuid", "uid"]) },
  { kind: "ffi", why: "libc", values: ({ adapter, unit }) => (adapter === "linux" || unit ? true : []) },
];

/** Values by kind, sorted, `true` for all of that kind; kinds that need nothing are left out. */
export function permissionNeeds(context: NeedContext): Map<PermissionKind, readonly string[] | true> {
  const found = new Map<PermissionKind, readonly string[] | true>();
  for (const { kind, values } of NEEDS) {
    const more = values(context);
    const earlier = found.get(kind) ?? [];
    if (earlier === true || more === true) found.set(kind, true);
    else if (earlier.length + more.length > 0) found.set(kind, [...new Set([...earlier, ...more])].sort());
  }
  return found;
}

/** Ports are shared among threads: Deno has the option for that only with this flag. */
export function needsUnstableNet({ config, adapter }: NeedContext): boolean {
  return adapter === "deno" && config.workers !== 1;
}

function listenerAddress({ endpoint }: { readonly endpoint: Endpoint }): string[] {
  if (endpoint.kind === "unix") return [];
  // Deno takes 0 for a port that cannot be; any port of the address then.
  return [endpoint.port === 0 ? formatEndpoint(endpoint).replace(/:0$/, "") : formatEndpoint(endpoint)];
}

function routeTables(config: Config): Config["routes"][] {
  return [...new Set(config.listeners.map(({ routes }) => routes))];
}

/** Every destination that routes and kinds name, with the exact name of the route where there is one. */
function destinations(config: Config): { readonly to: Destination; readonly name: string | undefined }[] {
  const routed = routeTables(config).flatMap((table) => [
    ...[...routesOf(table)].map(({ to, kind, text }) => ({ to, name: kind === "exact" ? text : undefined })),
    { to: table.default, name: undefined },
  ]);
  const kinds = config.listeners.flatMap(({ kinds: found }) =>
    found === undefined ? [] : [found.ssh, found.other, ...(found.silent === undefined ? [] : [found.silent])],
  );
  return [...routed, ...kinds.map((to) => ({ to, name: undefined }))];
}

/** What is dialled: servers, and proxies on the way to them. A name's addresses are not known beforehand. */
function dialled(config: Config): (Target | "any")[] {
  const proxies = [
    ...routeTables(config).flatMap((table) => [...routesOf(table)]),
    ...config.upstreams.values(),
  ].flatMap(({ via }) => (via === undefined ? [] : [via.target]));
  const servers = [...config.upstreams.values()].flatMap(({ servers: list }) => list.map(({ target }) => target));
  const direct = destinations(config).flatMap(({ to }): (Target | "any")[] => {
    if (to.kind === "direct") return ["any"];
    return to.kind === "reject" || to.kind === "upstream" ? [] : [to];
  });
  return [...proxies, ...servers, ...direct];
}

function serverAddresses({ config, adapter }: NeedContext): readonly string[] | true {
  if (adapter === "linux") return [];
  const found: string[] = [];
  for (const target of dialled(config)) {
    if (target === "any" || target.kind === "host") return true;
    if (target.kind === "ip") found.push(...addressOf(target, config));
  }
  return found;
}

/** A server without a port is dialled at the listener's. */
function addressOf({ ip, port }: Extract<Target, { kind: "ip" }>, config: Config): string[] {
  const text = ip.includes(":") ? `[${ip}]` : ip;
  if (port !== undefined) return [`${text}:${port}`];
  return config.listeners.some(({ endpoint }) => endpoint.kind === "unix" || endpoint.port === 0)
    ? [text]
    : config.listeners.flatMap(({ endpoint }) => (endpoint.kind === "tcp" ? [`${text}:${endpoint.port}`] : []));
}

/** Looked up by the main thread, whoever dials; with servers of our own, by messages to those. */
function serverNames({ config }: NeedContext): readonly string[] | true {
  if (config.resolver.servers.length > 0) return [];
  const found: string[] = [];
  for (const { to, name } of destinations(config)) {
    if (to.kind !== "direct") continue;
    if (name === undefined) return true;
    found.push(name);
  }
  const named = dialled(config).flatMap((target) => (target !== "any" && target.kind === "host" ? [target.name] : []));
  return [...found, ...named];
}

function checkedAddresses({ config }: NeedContext): readonly string[] | true {
  const found: string[] = [];
  for (const { healthCheck, servers } of config.upstreams.values()) {
    for (const { target } of healthCheck === undefined ? [] : servers) {
      if (target.kind === "host") return true;
      if (target.kind === "ip") found.push(...addressOf(target, config));
    }
  }
  return found;
}

function passwords(config: Config, kind: "file" | "env"): string[] {
  const vias = [...routeTables(config).flatMap((table) => [...routesOf(table)]), ...config.upstreams.values()];
  const sources = [...vias.map(({ via }) => via?.password), config.admin?.token];
  return sources.flatMap((source) => {
    if (source === undefined || source.kind !== kind) return [];
    return [source.kind === "file" ? source.path : source.name];
  });
}

/** libc asks nobody; only what this thread itself opens counts. */
function unixPaths({ config, adapter }: NeedContext): string[] {
  if (adapter === "linux") return [];
  const listeners = config.listeners.flatMap(({ endpoint }) => (endpoint.kind === "unix" ? [endpoint.path] : []));
  const servers = dialled(config).flatMap((target) =>
    target !== "any" && target.kind === "unix" ? [target.path] : [],
  );
  return [...listeners, ...servers];
}

/** `node:net` asks for a path as for an address. */
function adminAddress({ config: { admin } }: NeedContext): string[] {
  if (admin === undefined) return [];
  return admin.endpoint.kind === "unix" ? [`unix:${admin.endpoint.path}`] : listenerAddress(admin);
}

/** The main thread's own, whatever the adapter is. */
function adminPath({ config: { admin } }: NeedContext): string[] {
  return admin?.endpoint.kind === "unix" ? [admin.endpoint.path] : [];
}

function logFile({ config }: NeedContext): string[] {
  const path = config.log.access?.path ?? "stdout";
  return path === "stdout" || path === "stderr" ? [] : [path];
}
